/** What is written when somebody acts on a task or on its instances. Pure: `perform.ts` sends it. */

import { RESTARTED_AT } from "@/lib/api/annotations"
import type { Assignment, Entry, Task } from "@/lib/api/types"

export type Desired = "Running" | "Stopped"

export const MAX_COPIES = 10_000

/** One operation of a JSON patch (RFC 6902). */
export interface Operation {
  op: "test" | "add" | "replace"
  path: string
  value: unknown
}

export function statePatch(state: Desired): object {
  return { spec: { state } }
}

export function desiredPatch(desired: Desired): object {
  return { spec: { desired } }
}

/** `time` in RFC 3339: any value that is another than the one before. */
export function restartPatch(time: string): object {
  return { metadata: { annotations: { [RESTARTED_AT]: time } } }
}

/**
 * The instances to be told one by one when a task is to be in a state that it is in already: those that somebody set
 * otherwise. A change of the task's state reaches all of them by the controller.
 */
export function contrary(task: Task, copies: readonly Assignment[], state: Desired): Assignment[] {
  if ((task.spec.state ?? "Running") !== state) return []
  return onlyOther(copies, state)
}

/** The instances on a node that are not yet as wanted. */
export function onNode(copies: readonly Assignment[], node: string, desired: Desired): Assignment[] {
  return onlyOther(
    copies.filter(({ spec }) => spec.nodeName === node),
    desired,
  )
}

function onlyOther(copies: readonly Assignment[], desired: Desired): Assignment[] {
  return copies.filter(
    ({ metadata, spec }) => !metadata.deletionTimestamp && (spec.desired ?? "Running") !== desired,
  )
}

/** How many copies an entry asks for: a number, or a number a node. */
export type Counts = { replicas: number } | { nodes: Readonly<Record<string, number>> }

export function countsOf(entry: Entry): Counts {
  const nodes = entry.nodeReplicas ?? {}
  return Object.keys(nodes).length ? { nodes } : { replicas: entry.replicas ?? 1 }
}

export function total(counts: Counts): number {
  return "replicas" in counts
    ? counts.replicas
    : Object.values(counts.nodes).reduce((sum, count) => sum + count, 0)
}

function isSame(one: Counts, other: Counts): boolean {
  if ("replicas" in one || "replicas" in other) {
    return "replicas" in one && "replicas" in other && one.replicas === other.replicas
  }
  const nodes = new Set([...Object.keys(one.nodes), ...Object.keys(other.nodes)])
  return [...nodes].every((node) => one.nodes[node] === other.nodes[node])
}

/**
 * The patch that sets the counts of some entries, by their names; empty when nothing changes. It fails where an entry
 * is no longer where it was: a merge patch would replace the list as a whole, with all that others changed meanwhile.
 */
export function scalePatch(task: Task, wanted: Readonly<Record<string, Counts>>): Operation[] {
  return task.spec.entries.flatMap((entry, index) => {
    const name = entry.name ?? ""
    const counts = wanted[name]
    if (!counts || isSame(counts, countsOf(entry))) return []
    const where = `/spec/entries/${index}`
    const isHere: Operation = { op: "test", path: `${where}/name`, value: name }
    // A node stays in the map with 0: an empty map would mean one copy anywhere.
    const change: Operation =
      "replicas" in counts
        ? { op: "add", path: `${where}/replicas`, value: counts.replicas }
        : { op: "add", path: `${where}/nodeReplicas`, value: counts.nodes }
    return [isHere, change]
  })
}

/** The patch that replaces the spec, if the task is still the one that was read. */
export function respecPatch(task: Task, spec: object): Operation[] {
  return [
    { op: "test", path: "/metadata/resourceVersion", value: task.metadata.resourceVersion },
    { op: "replace", path: "/spec", value: spec },
  ]
}
