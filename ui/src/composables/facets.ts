/** The values that occur in a list, with their number, for a filter's options. */

import { compareTexts } from "@/components/table/columns"

export interface Facet {
  value: string
  label: string
  count: number
}

/** Each value that occurs, in the order of its label; `labelOf` says it in words. */
export function facets<T>(
  rows: readonly T[],
  valueOf: (row: T) => string,
  labelOf: (value: string) => string = (value) => value,
): Facet[] {
  const counts = new Map<string, number>()
  for (const row of rows) {
    const value = valueOf(row)
    if (value) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return [...counts]
    .map(([value, count]) => ({ value, label: labelOf(value), count }))
    .sort((one, other) => compareTexts(one.label, other.label))
}

/** Whether each word of the search is in one of the texts. */
export function matches(search: string, ...texts: readonly (string | undefined)[]): boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  return words.every((word) => texts.some((text) => text?.toLowerCase().includes(word)))
}
