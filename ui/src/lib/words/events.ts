/** What an event or a condition tells, in words. */
import { isEvent } from "./codes"
import { endingOf, endingWords } from "./endings"
import type { ConditionLike, EventLike } from "./objects"
import { reasonCause, reasonWords, tidied } from "./reasons"
import { sentence, type Cause, type Level, type Sentence } from "./sentences"

export interface EventWords {
  level: Level
  says: Sentence
  raw: string
}

const DETAILS: Partial<Record<string, RegExp>> = {
  Started: /^started on (?<node>\S+)$/,
  Killing: /^asked to end by (?<signal>\w+), within (?<seconds>[\d.e+]+) s/,
  Unhealthy: /^(?<probe>startup|readiness|liveness): (?<seen>.+)$/s,
  BackOff: /^starts again after (?<seconds>[\d.e+]+) s$/,
  Created: /^created (?<count>\d+) /,
  Deleted: /^deleted (?<count>\d+) /,
}

/** What happened: mostly in our words, and always beside the reporter's own. */
export function eventWords(event: EventLike): EventWords {
  const { reason = "", message = "", type = "Normal" } = event
  return { level: type === "Warning" ? "warn" : "ok", says: eventSays(reason, message), raw: message }
}

function eventSays(reason: string, message: string): Sentence {
  if (!isEvent(reason)) return reasonWords(reason, message)
  if (reason === "Failed" && message) return endingWords(endingOf(message), "exit")
  const found = DETAILS[reason]?.exec(message)?.groups
  return found ? sentence(`eventDetail.${reason}`, counted(tidied(found))) : sentence(`event.${reason}`)
}

/** Counts are numbers, so that a language can choose its form by them. */
function counted(groups: Record<string, string>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(groups).map(([name, value]) => [name, name === "count" ? Number(value) : value]),
  )
}

export interface ConditionWords {
  level: Level
  /** The condition's type in words, with how it stands: "Available", "Not available". */
  word: Sentence
  cause: Cause
}

/** Types of which True is the bad news. */
const INVERTED: ReadonlySet<string> = new Set([
  "Draining",
  "NamespaceContentRemaining",
  "NamespaceFinalizersRemaining",
  "NamespaceDeletionContentFailure",
])

export const CONDITION_TYPES = [
  "Available",
  "Progressing",
  "Placed",
  "Prepared",
  "Ready",
  "DependenciesReady",
  "Reported",
  "Draining",
  "NamespaceContentRemaining",
  "NamespaceFinalizersRemaining",
  "NamespaceDeletionContentFailure",
] as const

const known: ReadonlySet<string> = new Set(CONDITION_TYPES)

/** Reasons with which a condition that does not hold yet is only on its way, or off by somebody's will. */
const ON_ITS_WAY: ReadonlySet<string> = new Set([
  "Scheduling",
  "Preparing",
  "Pending",
  "Starting",
  "ProbePending",
  "Stopping",
  "RollingOut",
  "WaitingForDependencies",
  "WaitingForPredecessor",
])
const OFF: ReadonlySet<string> = new Set(["TaskStopped", "Stopped", "Exited", "Drained"])

export function conditionWords(condition: ConditionLike): ConditionWords {
  const { type, status, reason = "", message = "", lastTransitionTime } = condition
  const suffix = status === "True" ? "true" : status === "False" ? "false" : "unknown"
  const word = known.has(type)
    ? sentence(`condition.${type}.${suffix}`)
    : sentence(`condition.other.${suffix}`, { type })
  return { level: conditionLevel(condition), word, cause: reasonCause(reason, message, lastTransitionTime) }
}

function conditionLevel({ type, status, reason = "" }: ConditionLike): Level {
  if (reason === "RollingOut") return "busy"
  if (status === "Unknown") return "unknown"
  if ((status === "True") !== INVERTED.has(type)) return OFF.has(reason) ? "idle" : "ok"
  if (OFF.has(reason)) return "idle"
  if (ON_ITS_WAY.has(reason)) return "busy"
  return reason === "ProbeFailed" || type === "Draining" ? "warn" : "bad"
}
