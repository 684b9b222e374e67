/*
 * Writes the types of what the API sends and takes, from the server's own OpenAPI documents; with `--check` it only
 * says whether they are still those. No server is needed: Python makes the documents (openapi.py).
 */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import openapiTS, { astToString } from "openapi-typescript"

const ui = dirname(dirname(fileURLToPath(import.meta.url)))
const repository = dirname(ui)

const files = [
  { document: "plum.dev/v1", file: join(ui, "src/lib/api/plum.gen.ts") },
  { document: "v1", file: join(ui, "src/lib/api/core.gen.ts") },
]

/** The Python that `make venv` made; where it made none, $PYTHON. */
function python() {
  const own = join(repository, ".venv/bin/python")
  return existsSync(own) ? own : process.env.PYTHON || "python3"
}

function dump(document) {
  const made = spawnSync(python(), [join(ui, "scripts/openapi.py"), document], {
    env: { ...process.env, PYTHONPATH: repository },
    maxBuffer: 64 * 1024 * 1024,
    encoding: "utf8",
  })
  if (made.status !== 0) {
    console.error(made.stderr || made.error?.message)
    console.error("The server's Python packages make the OpenAPI documents: run make venv, or set PYTHON.")
    process.exit(1)
  }
  return JSON.parse(made.stdout)
}

/** The schemas alone, under the last part of their names: `dev.plum.v1.Task` is Task. Paths are left out: which
 * there are is the subject of src/lib/api, and their types would be five times as long as these. */
function schemasOf(document) {
  const prefix = "#/components/schemas/"
  const short = (name) => name.slice(name.lastIndexOf(".") + 1)
  const schemas = {}
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    if (short(name) in schemas) throw new Error(`two schemas are called ${short(name)}`)
    schemas[short(name)] = JSON.parse(JSON.stringify(schema), (key, value) =>
      key === "$ref" ? prefix + short(value.slice(prefix.length)) : value,
    )
  }
  return { ...document, paths: {}, components: { schemas } }
}

async function typesOf(document) {
  const tree = await openapiTS(schemasOf(dump(document)), {
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
    rootTypesKeepCasing: true,
    exportType: true,
    emptyObjectsUnknown: true,
    silent: true,
  })
  const made = astToString(tree).replace(/^(export type (paths|webhooks|operations|\$defs) = .*\n)+/gm, "")
  return `/* Types of ${document}, made from its OpenAPI document: \`npm run types\` writes them. Do not edit. */\n${made}`
}

const checks = process.argv.includes("--check")
let stale = 0
for (const { document, file } of files) {
  const made = await typesOf(document)
  if (existsSync(file) && readFileSync(file, "utf8") === made) continue
  if (!checks) {
    writeFileSync(file, made)
    continue
  }
  stale += 1
  console.error(
    `${relative(ui, file)} is not what the server's OpenAPI document of ${document} says: run npm run types`,
  )
}
process.exitCode = stale ? 1 : 0
