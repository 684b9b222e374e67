/** The events of a task and of its instances. Pure. */

import type { Assignment, PlumEvent, Task } from "@/lib/api/types"
import { splitAssignmentName } from "@/lib/words/ids"

/** When it happened last. */
export function timeOf(event: PlumEvent): string {
  const { series, lastTimestamp, eventTime, firstTimestamp, metadata } = event
  return (
    series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp ?? metadata.creationTimestamp
  )
}

export function countOf({ series, count }: PlumEvent): number {
  return series?.count ?? count ?? 1
}

/** Newest first. Instances that are gone are known by their names, which their task and entry begin. */
export function eventsOf(
  task: Task,
  copies: readonly Assignment[],
  events: readonly PlumEvent[],
): PlumEvent[] {
  const { name, namespace } = task.metadata
  const present = new Set(copies.map(({ metadata }) => metadata.name))
  const stems = new Set(task.spec.entries.map((entry) => `${name}-${entry.name ?? ""}`))
  const isOurs = ({ involvedObject: about, metadata }: PlumEvent): boolean => {
    if ((about.namespace ?? metadata.namespace) !== namespace) return false
    if (about.kind === "Task") return about.name === name
    if (about.kind !== "Assignment" || !about.name) return false
    const { stem, suffix } = splitAssignmentName(about.name)
    return present.has(about.name) || (suffix !== "" && stems.has(stem))
  }
  return events.filter(isOurs).sort((one, other) => compare(timeOf(other), timeOf(one)))
}

/** Times of one second may have fractions or none: as numbers they compare. */
const compare = (one: string, other: string): number => Date.parse(one) - Date.parse(other)
