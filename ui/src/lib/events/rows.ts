/** Events as lists show them: one row an event, which may have happened many times. */

import type { PlumEvent } from "@/lib/api/types"
import { parseTime } from "@/lib/words/times"
import { eventWords, type EventWords } from "@/lib/words/verdicts"

export interface EventRow {
  key: string
  event: PlumEvent
  words: EventWords
  isWarning: boolean
  reason: string
  /** What it is about. */
  kind: string
  name: string
  namespace: string
  /** How often it happened. */
  count: number
  first: string
  last: string
  lastMs: number
}

/** An event does not change: one that happens again is another object. So its row is made once. */
const rows = new WeakMap<PlumEvent, EventRow>()

export function eventRow(event: PlumEvent): EventRow {
  const known = rows.get(event)
  if (known) return known
  const made = makeRow(event)
  rows.set(event, made)
  return made
}

function makeRow(event: PlumEvent): EventRow {
  const { metadata, involvedObject: about, series } = event
  const last = latest(
    series?.lastObservedTime,
    event.lastTimestamp,
    event.eventTime,
    event.firstTimestamp ?? metadata.creationTimestamp,
  )
  return {
    key: `${metadata.namespace ?? ""}/${metadata.name}`,
    event,
    words: eventWords(event),
    isWarning: event.type === "Warning",
    reason: event.reason ?? "",
    kind: about.kind ?? "",
    name: about.name ?? "",
    namespace: about.namespace ?? "",
    count: series?.count ?? event.count ?? 1,
    first: event.firstTimestamp ?? event.eventTime ?? metadata.creationTimestamp,
    last,
    lastMs: parseTime(last) ?? 0,
  }
}

function latest(...times: readonly (string | undefined)[]): string {
  return times.reduce<string>(
    (found, time) => ((parseTime(time) ?? -1) > (parseTime(found) ?? -1) ? (time ?? found) : found),
    "",
  )
}

export interface About {
  kind: string
  name: string
  /** Empty or absent: a kind without namespaces. */
  namespace?: string
}

/** Those about one object; later ones first. */
export function rowsAbout(events: readonly PlumEvent[], { kind, name, namespace = "" }: About): EventRow[] {
  return events
    .filter(
      ({ involvedObject: about }) =>
        about.name === name && about.kind === kind && (about.namespace ?? "") === namespace,
    )
    .map(eventRow)
    .sort(newestFirst)
}

export function newestFirst(one: EventRow, other: EventRow): number {
  return other.lastMs - one.lastMs || (one.key < other.key ? -1 : 1)
}

/** How many of the events are new, or have happened again, since a list was held still. */
export function newSince(held: readonly PlumEvent[], now: readonly PlumEvent[]): number {
  const known = new Set(held)
  return now.filter((event) => !known.has(event)).length
}
