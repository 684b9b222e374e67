/** What saving will do, in words: compared are the stored task and what the server would make of the edited one. */

import { RESTARTED_AT } from "@/lib/api/annotations"
import type { App, Entry, Task } from "@/lib/api/types"
import { copiesOf } from "@/lib/words/objects"
import type { Level } from "@/lib/words/sentences"
import { newestUpload } from "./apps"
import { same } from "./values"

export interface Effect {
  /** Below `editor.effects.`. */
  key: string
  params: Record<string, string | number>
  level: Level
}

/** What a copy's process is made from; a change of it is another copy. */
const TEMPLATE = [
  "app",
  "artifactUrl",
  "sha256",
  "startCmd",
  "env",
  "ports",
  "services",
  "restartPolicy",
  "terminationGracePeriodSeconds",
  "stopSignal",
  "dependsOn",
  "probes",
  "logs",
] as const satisfies readonly (keyof Entry)[]

/** Copies by home: the node's name, or the empty one for those that the scheduler places. */
function homesOf(entry: Entry): Map<string, number> {
  const placed = Object.entries(entry.nodeReplicas ?? {})
  return placed.length ? new Map(placed) : new Map([["", entry.replicas ?? 1]])
}

export function effectsOf(before: Task, after: Task, apps: readonly App[]): Effect[] {
  const isStopped = after.spec.state === "Stopped"
  const effects: Effect[] = []
  const old = new Map(before.spec.entries.map((entry) => [entry.name ?? "", entry]))
  const now = new Map(after.spec.entries.map((entry) => [entry.name ?? "", entry]))
  if (before.spec.state !== after.spec.state) {
    const count = after.spec.entries.reduce((sum, entry) => sum + copiesOf(entry), 0)
    effects.push({
      key: isStopped ? "stops" : "starts",
      params: { count },
      level: isStopped ? "warn" : "busy",
    })
  }
  for (const [name, entry] of old) {
    if (!now.has(name))
      effects.push({ key: "removed", params: { name, count: copiesOf(entry) }, level: "bad" })
  }
  for (const [name, entry] of now) {
    const was = old.get(name)
    if (!was)
      effects.push({
        key: isStopped ? "addedStopped" : "added",
        params: { name, count: copiesOf(entry) },
        level: "busy",
      })
    else effects.push(...entryEffects(before, after, was, entry, apps))
  }
  const isOrdered =
    same([...old.keys()].sort(), [...now.keys()].sort()) && !same([...old.keys()], [...now.keys()])
  if (isOrdered) effects.push({ key: "reordered", params: {}, level: "idle" })
  if (!same(before.spec.strategy, after.spec.strategy))
    effects.push({ key: "strategy", params: {}, level: "idle" })
  if (!same(before.metadata.labels ?? {}, after.metadata.labels ?? {}))
    effects.push({ key: "taskLabels", params: {}, level: "idle" })
  if (!same(annotations(before), annotations(after)))
    effects.push({ key: "annotations", params: {}, level: "idle" })
  return effects
}

function annotations(task: Task): Record<string, string> {
  return Object.fromEntries(
    Object.entries(task.metadata.annotations ?? {}).filter(([name]) => name !== RESTARTED_AT),
  )
}

function entryEffects(before: Task, after: Task, was: Entry, entry: Entry, apps: readonly App[]): Effect[] {
  const name = entry.name ?? ""
  const effects: Effect[] = []
  const kept = [...homesOf(entry)].reduce(
    (sum, [home, count]) => sum + Math.min(count, homesOf(was).get(home) ?? 0),
    0,
  )
  const fields = TEMPLATE.filter((field) => !same(was[field], entry[field]))
  const restarted = before.metadata.annotations?.[RESTARTED_AT] !== after.metadata.annotations?.[RESTARTED_AT]
  if (kept && (fields.length || restarted)) {
    effects.push({
      key: "rolls",
      params: { name, count: kept, fields: fields.join(", ") || RESTARTED_AT, ...pace(after) },
      level: "warn",
    })
  } else if (kept && !same(before.spec, after.spec) && isNewer(before, entry, apps)) {
    effects.push({
      key: "newUpload",
      params: { name, count: kept, app: `${entry.app?.name ?? ""} ${entry.app?.version ?? ""}` },
      level: "warn",
    })
  }
  effects.push(...countEffects(name, was, entry, effects.length === 0))
  if (!same(was.labels ?? {}, entry.labels ?? {}))
    effects.push({ key: "entryLabels", params: { name }, level: "idle" })
  return effects
}

function pace(task: Task): { unavailable: number; surge: number } {
  return { unavailable: task.spec.strategy?.maxUnavailable ?? 1, surge: task.spec.strategy?.maxSurge ?? 0 }
}

/** With each change of the spec references to apps are resolved again. */
function isNewer(before: Task, entry: Entry, apps: readonly App[]): boolean {
  if (!entry.app || entry.sha256) return false
  const pinned = before.status?.entries?.find(({ name }) => name === entry.name)?.sha256
  const newest = newestUpload(apps, entry.app.name, entry.app.version, before.metadata.namespace)
  return Boolean(pinned && newest && newest.spec.sha256 !== pinned)
}

function countEffects(name: string, was: Entry, entry: Entry, isOnly: boolean): Effect[] {
  const before = homesOf(was)
  const now = homesOf(entry)
  const homes = [...new Set([...before.keys(), ...now.keys()])]
  const moved = homes.some((home) => !before.has(home)) && homes.some((home) => !now.has(home))
  return homes.flatMap((home): Effect[] => {
    const from = before.get(home) ?? 0
    const to = now.get(home) ?? 0
    if (from === to) return []
    const where = home ? "Node" : moved ? "Anywhere" : isOnly && to > from ? "Only" : ""
    return [
      {
        key: `${to > from ? "more" : "fewer"}${where}`,
        params: { name, from, to, count: Math.abs(to - from), node: home },
        level: to > from ? "busy" : "warn",
      },
    ]
  })
}
