/**
 * Changes by path, and putting two people's changes on top of each other. Lists whose items have names are compared by
 * them, as the server does; any other list is one value.
 */

import type { Path } from "./paths"
import { isMapping, same, textOf, type Mapping } from "./values"

/** A step of a path: a key, or the item of a list that has this name. */
export type Step = string | { readonly name: string }

export interface Change {
  path: readonly Step[]
  /** undefined: it was not there. */
  from: unknown
  /** undefined: it is gone. */
  to: unknown
}

export interface Clash {
  path: readonly Step[]
  base: unknown
  mine: unknown
  theirs: unknown
}

export interface Merged {
  /** Mine with all of theirs that does not touch mine. */
  value: unknown
  clashes: Clash[]
  /** What of theirs came in. */
  taken: Change[]
}

/** The items by name, or undefined where the list is one value. */
function named(list: unknown): Map<string, Mapping> | undefined {
  if (!Array.isArray(list)) return undefined
  const found = new Map<string, Mapping>()
  for (const item of list as unknown[]) {
    const name = isMapping(item) ? textOf(item["name"]) : ""
    if (!name || found.has(name) || !isMapping(item)) return undefined
    found.set(name, item)
  }
  return found
}

function children(value: unknown): Map<string, unknown> | undefined {
  if (isMapping(value)) return new Map(Object.entries(value))
  return named(value)
}

const stepOf = (parent: unknown, key: string): Step => (Array.isArray(parent) ? { name: key } : key)

/** What was changed, deepest first known: every change is of one field, or of an item that came or went. */
export function changesOf(base: unknown, other: unknown, path: readonly Step[] = []): Change[] {
  if (same(base, other)) return []
  const before = children(base)
  const after = children(other)
  if (!before || !after || Array.isArray(base) !== Array.isArray(other))
    return [{ path, from: base, to: other }]
  const keys = [...new Set([...before.keys(), ...after.keys()])]
  return keys.flatMap((key) => changesOf(before.get(key), after.get(key), [...path, stepOf(other, key)]))
}

const stepText = (step: Step): string => (typeof step === "string" ? `.${step}` : `[${step.name}]`)

/** A path for people: `spec.entries[main].replicas`. */
export function pathText(path: readonly Step[]): string {
  return path.map(stepText).join("").replace(/^\./, "")
}

function isWithin(path: readonly Step[], other: readonly Step[]): boolean {
  return other.every((step, index) => path[index] !== undefined && stepText(step) === stepText(path[index]))
}

/** Put mine on top of theirs. Where both touch the same field in different ways, mine stays and it is a clash. */
export function merge(base: unknown, mine: unknown, theirs: unknown): Merged {
  const own = changesOf(base, mine)
  const clashes: Clash[] = []
  const taken: Change[] = []
  let value = mine
  for (const change of changesOf(base, theirs)) {
    const touching = own.filter(({ path }) => isWithin(path, change.path) || isWithin(change.path, path))
    if (!touching.length) {
      value = withChange(value, change.path, change.to)
      taken.push(change)
    } else if (
      touching.some(({ path, to }) => pathText(path) !== pathText(change.path) || !same(to, change.to))
    ) {
      const path = [change.path, ...touching.map((one) => one.path)].reduce((shortest, one) =>
        one.length < shortest.length ? one : shortest,
      )
      if (clashes.some((clash) => pathText(clash.path) === pathText(path))) continue
      clashes.push({ path, base: get(base, path), mine: get(mine, path), theirs: get(theirs, path) })
    }
  }
  return { value, clashes, taken }
}

/** The value at a path by names. */
export function get(value: unknown, path: readonly Step[]): unknown {
  return path.reduce<unknown>((found, step) => {
    if (typeof step === "string") return isMapping(found) ? found[step] : undefined
    return named(found)?.get(step.name)
  }, value)
}

/** The value with a field set, or removed; the original stays. */
export function withChange(value: unknown, path: readonly Step[], to: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return to
  if (typeof step === "string") {
    const map = new Map(Object.entries(isMapping(value) ? value : {}))
    const next = withChange(map.get(step), rest, to)
    if (next === undefined) map.delete(step)
    else map.set(step, next)
    return Object.fromEntries(map)
  }
  const list: unknown[] = Array.isArray(value) ? [...(value as unknown[])] : []
  const index = list.findIndex((item) => isMapping(item) && item["name"] === step.name)
  const next = withChange(index < 0 ? undefined : list[index], rest, to)
  if (next === undefined) return index < 0 ? list : list.filter((_, at) => at !== index)
  if (index < 0) list.push(next)
  else list[index] = next
  return list
}

/** The path with indexes, in a document that has these items; undefined where an item is not there. */
export function indexedPath(value: unknown, path: readonly Step[]): Path | undefined {
  const indexed: (string | number)[] = []
  let found = value
  for (const step of path) {
    if (typeof step === "string") {
      indexed.push(step)
      found = isMapping(found) ? found[step] : undefined
    } else {
      const list: readonly unknown[] = Array.isArray(found) ? found : []
      const index = list.findIndex((item) => isMapping(item) && item["name"] === step.name)
      if (index < 0) return undefined
      indexed.push(index)
      found = list[index]
    }
  }
  return indexed
}
