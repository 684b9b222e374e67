/** The newest event of each object: one that fails again and again does not push the others out. Pure. */

import type { PlumEvent } from "@/lib/api/types"

export interface Latest {
  event: PlumEvent
  /** How many older ones of the same object there are. */
  older: number
}

/** Of events that are sorted by `byLastSeen`, as they come. */
export function latestByObject(events: readonly PlumEvent[]): Latest[] {
  const found = new Map<string, Latest>()
  for (const event of events) {
    const { kind = "", namespace = "", name = "" } = event.involvedObject
    const key = `${kind}/${namespace}/${name}`
    const known = found.get(key)
    if (known) known.older += 1
    else found.set(key, { event, older: 0 })
  }
  return [...found.values()]
}
