/** The tasks as rows of a list: judged, with what is searched and sorted by. Pure, and it remembers. */

import { idOf } from "@/lib/addresses"
import type { Assignment, Entry, Node, Task } from "@/lib/api/types"
import { copiesByTask, taskVerdict, type TaskVerdict } from "@/lib/words/verdicts"

export interface AppUse {
  /** The app's name; for an artifact's address its last part. */
  name: string
  version: string
  isUrl: boolean
}

export interface TaskRow {
  key: string
  id: string
  task: Task
  copies: readonly Assignment[]
  verdict: TaskVerdict
  apps: AppUse[]
  /** When something of it changed last, as far as the objects tell. */
  changed: string
}

/** What an entry runs. */
export function appOf(entry: Entry): AppUse {
  if (entry.app) return { name: entry.app.name, version: entry.app.version, isUrl: false }
  const address = entry.artifactUrl ?? ""
  return { name: address.split(/[?#]/, 1)[0]?.split("/").at(-1) || address, version: "", isUrl: true }
}

/** What its entries run, each once. */
export function appsOf(task: Task): AppUse[] {
  const found = new Map(task.spec.entries.map(appOf).map((use) => [`${use.name} ${use.version}`, use]))
  return [...found.values()]
}

export function lastChange(task: Task, copies: readonly Assignment[]): string {
  const times = [
    task.metadata.creationTimestamp,
    task.metadata.deletionTimestamp,
    ...(task.status?.conditions ?? []).map(({ lastTransitionTime }) => lastTransitionTime),
    ...copies.map(({ metadata }) => metadata.creationTimestamp),
  ]
  return times.reduce<string>((latest, time) => (time && time > latest ? time : latest), "")
}

const NONE: readonly Assignment[] = []

/** Judges tasks; a row whose task and instances did not change stays the same, so that it is not drawn again. */
export class TaskRows {
  private known = new Map<string, TaskRow>()
  private nodes: ReadonlyMap<string, Node> | undefined
  private now = 0

  rows(
    tasks: readonly Task[],
    assignments: readonly Assignment[],
    nodes: ReadonlyMap<string, Node>,
    now: number,
  ): TaskRow[] {
    const isSameWorld = now === this.now && nodes === this.nodes
    const copies = copiesByTask(assignments)
    const made = tasks.map((task) => {
      const { name, namespace = "" } = task.metadata
      const key = `${namespace}/${name}`
      const own = copies.get(key) ?? NONE
      const before = this.known.get(key)
      if (isSameWorld && before?.task === task && isSameList(before.copies, own)) return before
      return {
        key,
        id: idOf(name, namespace),
        task,
        copies: own,
        verdict: taskVerdict(task, own, nodes, now),
        apps: appsOf(task),
        changed: lastChange(task, own),
      }
    })
    this.known = new Map(made.map((row) => [row.key, row]))
    this.nodes = nodes
    this.now = now
    return made
  }
}

function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, at) => item === other[at])
}

/** What a search looks in. */
export function searched({ task, apps }: TaskRow): string[] {
  const { name, namespace = "", labels = {} } = task.metadata
  return [
    name,
    namespace,
    ...Object.entries(labels).map(([key, value]) => `${key}=${value}`),
    ...apps.map((use) => `${use.name} ${use.version}`),
    ...task.spec.entries.map((entry) => entry.name ?? ""),
  ]
}
