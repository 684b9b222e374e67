/** The events of a task and of its instances. */

import type { Assignment, PlumEvent, Task } from "@/lib/api/types"
import { eventRow, newestFirst, type EventRow } from "@/lib/events/rows"
import { splitAssignmentName } from "@/lib/words/ids"

/** Newest first. Instances that are gone are known by their names, which their task and entry begin. */
export function eventsOf(
  task: Task,
  copies: readonly Assignment[],
  events: readonly PlumEvent[],
): EventRow[] {
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
  return events.filter(isOurs).map(eventRow).sort(newestFirst)
}
