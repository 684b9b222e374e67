/** Walking the server's schema of a kind by the path of a field. */

import { isMapping, type Mapping } from "./values"

export interface FieldSchema {
  type?: string
  description?: string
  default?: unknown
  enum?: readonly unknown[]
  required?: readonly string[]
  properties?: Readonly<Record<string, unknown>>
  additionalProperties?: unknown
  items?: unknown
  minimum?: number
  maximum?: number
}

export interface SchemaReader {
  /** The schema of the field at a path; undefined for a field that there is not. */
  at(path: readonly (string | number)[]): FieldSchema | undefined
}

/** Fields that the server sets, or that the page sees to: nobody is to write them. */
const SERVERS = new Set([
  "status",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
  "generateName",
  "ownerReferences",
  "finalizers",
])

export function schemaOf(openapi: unknown, kind: string): SchemaReader | undefined {
  const components = isMapping(openapi) ? openapi["components"] : undefined
  const schemas = isMapping(components) ? components["schemas"] : undefined
  if (!isMapping(schemas)) return undefined
  const name = Object.keys(schemas).find((key) => key.endsWith(`.${kind}`))
  if (!name) return undefined
  const root = resolve(schemas[name], schemas)
  return {
    at: (path) =>
      path.reduce<FieldSchema | undefined>((found, part) => {
        if (!found) return undefined
        if (typeof part === "number")
          return found.items === undefined ? undefined : resolve(found.items, schemas)
        const own = found.properties?.[part]
        if (own !== undefined) return resolve(own, schemas)
        return isMapping(found.additionalProperties)
          ? resolve(found.additionalProperties, schemas)
          : undefined
      }, root),
  }
}

/** The schema with what it refers to; the words of the nearer one win. */
function resolve(schema: unknown, schemas: Mapping, depth = 0): FieldSchema {
  if (!isMapping(schema) || depth > 8) return {}
  const parts: unknown[] = []
  if (typeof schema["$ref"] === "string") parts.push(schemas[schema["$ref"].split("/").at(-1) ?? ""])
  if (Array.isArray(schema["allOf"])) parts.push(...(schema["allOf"] as unknown[]))
  return Object.assign({}, ...parts.map((part) => resolve(part, schemas, depth + 1)), schema) as FieldSchema
}

/** The fields that may stand in a mapping at a path, those that must first. */
export function fieldsOf(schema: FieldSchema | undefined): { name: string; required: boolean }[] {
  const required = new Set(schema?.required ?? [])
  return Object.keys(schema?.properties ?? {})
    .filter((name) => !SERVERS.has(name))
    .map((name) => ({ name, required: required.has(name) }))
}

/** The one of the known names that a wrong one was probably meant to be. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase()
  const ranked = known
    .map((one) => ({ one, distance: distance(lower, one.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0]
  return ranked && ranked.distance <= Math.max(1, Math.floor(name.length / 3)) ? ranked.one : undefined
}

function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= other.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[other.length] ?? 0
}
