/** Bringing changes of others into a text that somebody is editing. */

import { parse, withItem, withValue } from "./document"
import { indexedPath, type Change } from "./merge"

export function withChanges(text: string, changes: readonly Change[]): string {
  return changes.reduce(withChangeOf, text)
}

function withChangeOf(text: string, { path, to }: Change): string {
  const { value } = parse(text)
  const place = indexedPath(value, path)
  if (place) return withValue(text, place, to)
  const parent = indexedPath(value, path.slice(0, -1))
  return parent && to !== undefined ? withItem(text, parent, to) : text
}
