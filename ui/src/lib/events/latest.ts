/** The newest event of each object: one that fails again and again does not push the others out. Pure. */

import type { EventRow } from "./rows"

export interface Latest {
  row: EventRow
  /** How many older ones of the same object there are. */
  older: number
}

/** Of events that come newest first, in the same order. */
export function latestByObject(rows: readonly EventRow[]): Latest[] {
  const found = new Map<string, Latest>()
  for (const row of rows) {
    const key = `${row.kind}/${row.namespace}/${row.name}`
    const known = found.get(key)
    if (known) known.older += 1
    else found.set(key, { row, older: 0 })
  }
  return [...found.values()]
}
