/** What a change of a task did, in a word, and which of its paths people care about. Pure. */

import { RESTARTED_AT } from "@/lib/api/annotations"
import type { HistoryItem } from "@/lib/api/types"

export type Change = HistoryItem["changes"][number]

/** Below `tasks.change.`. */
type ChangeWord =
  | "created"
  | "deleted"
  | "leaving"
  | "started"
  | "stopped"
  | "restarted"
  | "scaled"
  | "app"
  | "labels"
  | "spec"
  | "status"
  | "unknown"

const COUNT = /^spec\.entries\[[^\]]+\]\.(replicas|nodeReplicas)\b/
const APP = /^spec\.entries\[[^\]]+\]\.(app|artifactUrl|sha256)\b/
const LABELS = /^metadata\.(labels|annotations)\b/

/** The word for a change, by what of it matters most. */
export function wordOf(item: HistoryItem): ChangeWord {
  if (item.type === "ADDED") return "created"
  if (item.type === "DELETED") return "deleted"
  if (item.truncated) return "unknown"
  const paths = item.changes.map(({ path }) => path)
  if (paths.some((path) => path.startsWith("metadata.deletionTimestamp"))) return "leaving"
  const told = paths.filter((path) => !path.startsWith("status"))
  if (!told.length) return "status"
  const state = item.changes.find(({ path }) => path === "spec.state")
  if (state) return state.to === "Stopped" ? "stopped" : "started"
  if (told.some((path) => path.includes(RESTARTED_AT))) return "restarted"
  if (told.every((path) => COUNT.test(path))) return "scaled"
  if (told.some((path) => APP.test(path))) return "app"
  return told.every((path) => LABELS.test(path)) ? "labels" : "spec"
}

/** Whether a change was of what is wanted: what people read a history for. */
export function isOfWill(item: HistoryItem): boolean {
  return wordOf(item) !== "status"
}

/** The paths to show: those of the status only when nothing else changed. */
export function toldChanges(item: HistoryItem): Change[] {
  const wanted = item.changes.filter(({ path }) => !path.startsWith("status"))
  return wanted.length ? wanted : item.changes
}

/** A value on one line: texts as they are, the rest as JSON. */
export function valueText(value: unknown): string {
  if (value === undefined) return ""
  return typeof value === "string" ? value : JSON.stringify(value)
}

/** Pages come newest first; one that overlaps with what is known adds only what is new. */
export function joined(known: readonly HistoryItem[], page: readonly HistoryItem[]): HistoryItem[] {
  const versions = new Set(known.map(({ version }) => version))
  const added = page.filter(({ version }) => !versions.has(version))
  return [...known, ...added].sort((one, other) => Number(other.version) - Number(one.version))
}
