/** What is wrong with a document, by field: from the parser, the server, and the little that is said while typing. */

import { ApiFailure } from "@/lib/api/client"
import { explainFailure } from "@/lib/words/failures"
import { locate, type Parsed, type Range } from "./document"
import { parsePath, type Path } from "./paths"
import { nearest } from "./schema"
import { at, isEmpty } from "./values"

export interface Problem {
  path: Path
  /** Below `editor.problems.`: what it is, in our own words. */
  key: string
  params: Record<string, string>
  /** The sentence of the server or the parser. */
  raw: string
  /** Whether only something is missing: no mistake while somebody is still at it. */
  missing: boolean
  range: Range
}

const SYNTAX = new Set(["TAB_AS_INDENT", "DUPLICATE_KEY", "BAD_INDENT", "MULTIPLE_DOCS"])

/** What the parser says. */
export function syntaxProblems(parsed: Parsed): Problem[] {
  return parsed.problems.map(({ code, message, from, to }) => ({
    path: [],
    key: SYNTAX.has(code) ? `syntax.${code}` : "syntax.other",
    params: {},
    raw: message,
    missing: false,
    range: { from, to },
  }))
}

/** The names of the fields that may stand in the mapping at a path. */
export type KnownFields = (path: Path) => readonly string[]

/** What the server says to a dry run, as far as it is about fields; undefined when it is about something else. */
export function serverProblems(
  error: unknown,
  parsed: Parsed,
  known: KnownFields = () => [],
): Problem[] | undefined {
  if (!(error instanceof ApiFailure)) return undefined
  const { code, raw } = explainFailure(error, { action: "save", kind: "Task" })
  if (code === "exists") return [{ ...problemOf(["metadata", "name"], raw, parsed), key: "exists" }]
  const causes =
    code === "unknownFields"
      ? [...raw.matchAll(/((?:unknown|duplicate) field) "([^"]+)"/g)].map(([, message, field]) => ({
          field,
          message,
        }))
      : code === "invalid"
        ? (error.status?.details?.causes ?? [])
        : []
  if (!causes.length) return undefined
  return causes.map(({ field = "", message = "" }) => problemOf(parsePath(field), message, parsed, known))
}

/** What is said of a field, not of what stands in it. */
const FIELD_ITSELF = /^(unknown|duplicate) field$|give exactly one|give replicas/

/** A cause in our own words. */
export function problemOf(
  path: Path,
  message: string,
  parsed: Parsed,
  known: KnownFields = () => [],
): Problem {
  const isOfField = FIELD_ITSELF.test(message)
  const missing = !isOfField && isEmpty(at(parsed.value, path))
  const said = missing ? { key: "required", params: {} } : wordsOf(path, message, parsed)
  const meant = said.key === "unknown" && nearest(said.params["field"] ?? "", known(path.slice(0, -1)))
  const { key, params } = meant ? { key: "unknownNear", params: { ...said.params, meant } } : said
  return { path, key, params, raw: message, missing, range: locate(parsed, path, isOfField) }
}

const OF_FIELDS: readonly [RegExp, string][] = [
  [/^metadata\.name$/, "taskName"],
  [/^spec\.entries\.\d+\.name$/, "entryName"],
  [/\.env\.\d+\.name$/, "envName"],
  [/\.ports\.\d+\.name$/, "portName"],
  [/\.ports\.\d+\.port$/, "portNumber"],
  [/\.(services|probes)\..*\bport$/, "portReference"],
  [/\.dependsOn\b/, "dependsOn"],
  [/\.labels\b/, "labels"],
  [/\.sha256$/, "sha256"],
  [/\.artifactUrl$/, "artifactUrl"],
  [/\.maxSize$/, "logSize"],
  [/^spec\.strategy/, "strategy"],
]

function wordsOf(
  path: Path,
  message: string,
  parsed: Parsed,
): { key: string; params: Record<string, string> } {
  const field = String(path.findLast((part) => typeof part === "string") ?? "")
  if (message === "unknown field") return { key: "unknown", params: { field } }
  if (message === "duplicate field") return { key: "duplicateField", params: { field } }
  if (message.startsWith("Required value")) return { key: "required", params: { field } }
  if (message.startsWith("Duplicate value"))
    return { key: "duplicate", params: { value: String(at(parsed.value, path) ?? "") } }
  if (message.includes("must be of type integer")) return { key: "integer", params: {} }
  if (message.includes("give exactly one of app and artifactUrl")) return { key: "source", params: {} }
  if (message.includes("give replicas (the scheduler places)")) return { key: "counts", params: {} }
  if (message.includes("give exactly one of httpGet")) return { key: "probe", params: {} }
  const dotted = path.join(".")
  const known = OF_FIELDS.find(([pattern]) => pattern.test(dotted))
  return { key: known?.[1] ?? "other", params: { field } }
}
