/** Which runs an instance has had, told from what is known of its past. Pure. */

import { RESTARTED_AT } from "../api/annotations"
import type { Assignment, HistoryItem } from "../api/types"

export type RunOutcome = "running" | "clean" | "failed" | "stopped" | "restarted" | "unknown"

export interface Run {
  startedAt: string
  /** Absent while it runs, and where nobody noted it. */
  finishedAt?: string
  exitCode?: number
  signal?: number
  /** The agent's sentence about the end. */
  message?: string
  outcome: RunOutcome
}

/** What of a status tells of runs, at one moment. */
export interface Moment {
  phase?: string
  message?: string
  startedAt?: string
  finishedAt?: string
  previousStartedAt?: string
  exitCode?: number
  signal?: number
}

/** What somebody asked of it, and when. */
export interface Asked {
  what: "stop" | "restart"
  at: number
}

export interface Past {
  /** Oldest first. */
  moments: Moment[]
  asked: Asked[]
}

const FIELDS = ["phase", "message", "startedAt", "finishedAt", "previousStartedAt"] as const
const NUMBERS = ["exitCode", "signal"] as const
const RESTART_PATH = `metadata.annotations[${RESTARTED_AT}]`
/** What an end may take beyond the grace period to be the answer to what was asked. */
const ANSWER_MS = 30_000

export function momentOf({ status = { restarts: 0 } }: Pick<Assignment, "status">): Moment {
  const moment: Moment = {}
  for (const name of FIELDS) if (status[name]) moment[name] = status[name]
  for (const name of NUMBERS) if (typeof status[name] === "number") moment[name] = status[name]
  return moment
}

/** The past of an object, from its changes (newest first), beginning with what it is now. */
export function pastOf(now: Moment, items: readonly HistoryItem[], uid: string): Past {
  const moments: Moment[] = []
  const asked: Asked[] = []
  let moment = now
  for (const item of items) {
    if (item.uid !== uid || item.truncated) break
    moment = changed(moment, item, "to")
    moments.push(moment)
    const at = Date.parse(item.time)
    for (const { path, to } of item.changes) {
      if (path === RESTART_PATH && to !== undefined) asked.push({ what: "restart", at })
      if (path === "spec.desired" && to === "Stopped") asked.push({ what: "stop", at })
    }
    moment = changed(moment, item, "from")
  }
  return { moments: moments.reverse(), asked: asked.reverse() }
}

function changed(moment: Moment, item: HistoryItem, side: "from" | "to"): Moment {
  const made: Moment = { ...moment }
  for (const change of item.changes) {
    const value = change[side]
    for (const name of FIELDS) {
      if (change.path !== `status.${name}`) continue
      made[name] = typeof value === "string" ? value : undefined
    }
    for (const name of NUMBERS) {
      if (change.path !== `status.${name}`) continue
      made[name] = typeof value === "number" ? value : undefined
    }
  }
  return made
}

/** The runs, oldest first. `graceMs` is what an end may take after it was asked for. */
export function runsOf({ moments, asked }: Past, graceMs: number): Run[] {
  const runs = new Map<string, Run>()
  const run = (startedAt: string): Run => {
    const found = runs.get(startedAt) ?? { startedAt, outcome: "unknown" }
    runs.set(startedAt, found)
    return found
  }
  for (const moment of moments) {
    if (moment.startedAt) run(moment.startedAt)
    const began = moment.previousStartedAt ?? endedItself(moment)
    if (!began || !moment.finishedAt) continue
    end(run(began), moment)
  }
  const list = [...runs.values()].sort((one, other) => compare(one.startedAt, other.startedAt))
  const last = list.at(-1)
  for (const one of list) {
    one.outcome = one.finishedAt
      ? outcomeOf(one, asked, graceMs)
      : one === last && isUp(moments.at(-1))
        ? "running"
        : "unknown"
  }
  return list
}

/** Of agents that do not say which run ended: the one that had begun before. */
function endedItself({ startedAt, finishedAt }: Moment): string | undefined {
  return startedAt && finishedAt && compare(startedAt, finishedAt) <= 0 ? startedAt : undefined
}

function end(run: Run, moment: Moment): void {
  run.finishedAt = moment.finishedAt
  if (moment.exitCode !== undefined) run.exitCode = moment.exitCode
  if (moment.signal !== undefined) run.signal = moment.signal
  // The first that is said of an end is about it; later it is about what follows.
  const tells = moment.phase === "Failed" || moment.phase === "Exited" || moment.phase === "BackOff"
  if (tells && run.message === undefined && moment.message && moment.startedAt === run.startedAt) {
    run.message = moment.message
  }
}

function outcomeOf(run: Run, asked: readonly Asked[], graceMs: number): RunOutcome {
  const ended = Date.parse(run.finishedAt ?? "")
  const answer = asked.findLast(({ at }) => ended >= at - 1000 && ended <= at + graceMs + ANSWER_MS)
  if (answer && !run.message) return answer.what === "stop" ? "stopped" : "restarted"
  if (run.exitCode === 0) return "clean"
  return run.exitCode === undefined && run.signal === undefined ? "unknown" : "failed"
}

function isUp(moment: Moment | undefined): boolean {
  return moment?.phase === "Running" || moment?.phase === "Stopping" || moment?.phase === "Unknown"
}

function compare(one: string, other: string): number {
  return Date.parse(one) - Date.parse(other)
}
