/** When an event was seen, and how often: old and new clients tell it in different fields. Pure. */

import type { PlumEvent } from "@/lib/api/types"

/** RFC 3339, when it happened last. */
export function lastSeen(event: PlumEvent): string {
  return (
    event.series?.lastObservedTime ??
    event.lastTimestamp ??
    event.eventTime ??
    event.metadata.creationTimestamp
  )
}

/** RFC 3339, when it happened first. */
export function firstSeen(event: PlumEvent): string {
  return event.firstTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp
}

export function timesSeen(event: PlumEvent): number {
  return event.series?.count ?? event.count ?? 1
}

/** Newest first; of one moment by name, so that nothing jumps. */
export function byLastSeen(one: PlumEvent, other: PlumEvent): number {
  const difference = Date.parse(lastSeen(other)) - Date.parse(lastSeen(one))
  return difference || (one.metadata.name < other.metadata.name ? -1 : 1)
}
