/** Reading what a person may have written: any value may stand anywhere while a document is being edited. */

import type { Path } from "./paths"

export type Mapping = Readonly<Record<string, unknown>>

export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** The value at a path; undefined where there is none. */
export function at(value: unknown, path: Path): unknown {
  let found = value
  for (const part of path) {
    if (typeof part === "number" && Array.isArray(found)) found = found[part]
    else if (typeof part === "string" && isMapping(found))
      found = Object.hasOwn(found, part) ? found[part] : undefined
    else return undefined
  }
  return found
}

/** A scalar as text; empty for what is none. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value
  return typeof value === "number" || typeof value === "boolean" ? String(value) : ""
}

export function integerOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) ? value : undefined
}

/** The items of a list that are mappings stay, others count as empty ones, so that indexes are those of the document. */
export function itemsOf(value: unknown): readonly Mapping[] {
  return Array.isArray(value) ? value.map((item: unknown) => (isMapping(item) ? item : {})) : []
}

export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(textOf) : []
}

export function mappingOf(value: unknown): Mapping {
  return isMapping(value) ? value : {}
}

export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === ""
}

/** Whether two values of JSON are the same; the order of keys says nothing. */
export function same(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => same(item, other[index]))
  }
  if (!isMapping(one) || !isMapping(other)) return false
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]))
  )
}
