/**
 * Back to an earlier revision of a task's spec. Pure. The rule is the server's (apiserver/api/rollback.py): how many
 * copies there are, and whether they run at all, makes no revision and is not taken back either.
 */

import type { Entry, Revision, TaskSpec } from "@/lib/api/types"

/** A spec of a revision, which the API describes as an open object. */
export function specOf(revision: Revision): TaskSpec {
  const { entries } = revision.spec
  if (!Array.isArray(entries)) throw new TypeError(`revision ${revision.revision} has no entries`)
  return { ...revision.spec, entries } as TaskSpec
}

/**
 * The spec of the revision for the present task: `state` stays as it is, and so do the counts of entries that are there
 * today; entries that are gone come back with the counts of the revision. The arguments stay as they are.
 */
export function rolledBack(present: TaskSpec, past: TaskSpec): TaskSpec {
  const today = new Map(present.entries.map((entry) => [entry.name, entry]))
  const entries = past.entries.map((entry) => withCounts(entry, today.get(entry.name)))
  return { ...past, state: present.state, entries }
}

/** What of a spec a rollback takes back, for people to compare. */
export function templateOf(spec: TaskSpec): Omit<TaskSpec, "state"> {
  const made: Partial<TaskSpec> = { ...spec }
  delete made.state
  return { ...made, entries: spec.entries.map(withoutCounts) }
}

/** Whether the present spec already runs what the revision ran. */
export function isRolledOut(present: TaskSpec, past: TaskSpec): boolean {
  return stable(present.entries.map(withoutCounts)) === stable(past.entries.map(withoutCounts))
}

function withCounts(entry: Entry, today: Entry | undefined): Entry {
  if (!today) return { ...entry }
  const made = withoutCounts(entry)
  if (today.replicas !== undefined) made.replicas = today.replicas
  if (today.nodeReplicas !== undefined) made.nodeReplicas = today.nodeReplicas
  return inOrder(made)
}

/** The first fields of an entry as the server writes them. */
const FIRST = ["name", "app", "artifactUrl", "sha256", "startCmd", "replicas", "nodeReplicas"]

/** Fields in the server's order, so that a comparison by lines shows what differs and nothing that only moved. */
function inOrder(entry: Entry): Entry {
  const place = (key: string): number => (FIRST.includes(key) ? FIRST.indexOf(key) : FIRST.length)
  const fields = Object.entries(entry).sort(([one], [other]) => place(one) - place(other))
  return Object.assign(Object.fromEntries(fields), entry)
}

function withoutCounts(entry: Entry): Entry {
  const made = { ...entry }
  delete made.replicas
  delete made.nodeReplicas
  return made
}

/** As JSON whose keys are in order: two values are equal when their texts are. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  )
}
