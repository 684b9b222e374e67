/** What is to be said of one copy of a task. */
import { endingOf, endingRemedy, endingWords } from "./endings"
import { loopOf } from "./loops"
import { condition, isCompleted, isLeaving, isReady, type AssignmentLike, type NodeLike } from "./objects"
import { reasonCause } from "./reasons"
import { sentence, type Cause, type Level, type Sentence } from "./sentences"

export const ASSIGNMENT_STATES = {
  running: "ok",
  completed: "ok",
  restarted: "warn",
  notReady: "warn",
  crashLoop: "bad",
  failed: "bad",
  ended: "warn",
  cannotPrepare: "bad",
  cannotPlace: "bad",
  agentStopped: "bad",
  nodeLost: "unknown",
  unknown: "unknown",
  pending: "busy",
  waiting: "busy",
  preparing: "busy",
  starting: "busy",
  stopping: "busy",
  stopped: "idle",
} as const satisfies Record<string, Level>

export type AssignmentState = keyof typeof ASSIGNMENT_STATES

export interface AssignmentVerdict {
  /** For filters and icons; `word` says it. */
  state: AssignmentState
  level: Level
  word: Sentence
  cause?: Cause
}

/**
 * How a copy is, at the time `now` (milliseconds). `node` is the node that it names, null where there is none of that
 * name; undefined where the caller does not know.
 */
export function assignmentVerdict(
  copy: AssignmentLike,
  now: number,
  node?: NodeLike | null,
): AssignmentVerdict {
  const [state, cause] = judge(copy, now, node)
  const verdict: AssignmentVerdict = {
    state,
    level: ASSIGNMENT_STATES[state],
    word: sentence(`state.${state}`),
  }
  if (cause) verdict.cause = cause
  return verdict
}

type Judged = [AssignmentState, Cause?]

function judge(copy: AssignmentLike, now: number, node?: NodeLike | null): Judged {
  const { phase = "Pending", reason = "", message = "" } = copy.status ?? {}
  if (phase === "Unknown")
    return reason === "InDoubt" ? ["unknown", told(copy)] : ["nodeLost", told(copy, "NodeSilent")]
  if (isLeaving(copy)) return ["stopping"]
  switch (phase) {
    case "Running":
      return running(copy, now)
    case "Stopping":
      return reason === "Unhealthy" ? ["notReady", told(copy)] : ["stopping"]
    case "Stopped":
      return stopped(copy)
    case "Exited":
      return ended(copy, now)
    case "Failed":
      return ended(copy, now)
    case "BackOff":
      return copy.spec.desired === "Stopped" ? ["stopping"] : ["crashLoop", ending(copy, "CrashLoop")]
    case "Preparing":
      return preparing(copy, reason, message)
    default:
      return pending(copy, node)
  }
}

function running(copy: AssignmentLike, now: number): Judged {
  if (copy.spec.desired === "Stopped") return ["stopping"]
  const loop = loopOf(copy, now)
  if (loop === "crashLoop") return ["crashLoop", ending(copy, "CrashLoop")]
  if (!isReady(copy)) return unready(copy)
  return loop === "restarted" ? ["restarted", ending(copy, "Restarted")] : ["running"]
}

/** A copy that its probes, or the agent of the original, do not call ready. */
function unready(copy: AssignmentLike): Judged {
  const ready = condition(copy.status?.conditions, "Ready")
  const { reason = "", message = "", lastTransitionTime } = ready ?? {}
  if (!ready || reason === "ProbePending") {
    return ["starting", ready && reasonCause(reason, message, lastTransitionTime)]
  }
  if (reason === "NodeSilent") return ["nodeLost", reasonCause(reason, message, lastTransitionTime)]
  const code = reason === "ProbeFailed" || reason === "NotReported" ? reason : "NotReady"
  return ["notReady", reasonCause(code, message, lastTransitionTime)]
}

function stopped(copy: AssignmentLike): Judged {
  if (copy.status?.reason === "AgentStopped") return ["agentStopped", told(copy)]
  return copy.spec.desired === "Stopped" ? ["stopped"] : ["starting"]
}

function ended(copy: AssignmentLike, now: number): Judged {
  if (copy.spec.desired === "Stopped") return ["stopped"]
  if (isCompleted(copy)) return ["completed"]
  if (loopOf(copy, now) === "crashLoop") return ["crashLoop", ending(copy, "CrashLoop")]
  const code =
    copy.status?.reason === "StartFailed" || copy.status?.reason === "Unhealthy"
      ? copy.status.reason
      : "Failed"
  return copy.status?.phase === "Exited"
    ? ["ended", ending(copy, "Restarted")]
    : ["failed", ending(copy, code)]
}

function preparing(copy: AssignmentLike, reason: string, message: string): Judged {
  if (reason === "Starting") return ["starting"]
  if (reason === "" || reason === "Preparing") return ["preparing"]
  const prepared = condition(copy.status?.conditions, "Prepared")
  return ["cannotPrepare", reasonCause(reason, message, prepared?.lastTransitionTime)]
}

function pending(copy: AssignmentLike, node?: NodeLike | null): Judged {
  const placed = condition(copy.status?.conditions, "Placed")
  if (!copy.spec.nodeName) {
    if (placed?.status !== "False") return ["pending"]
    return ["cannotPlace", reasonCause(placed.reason ?? "", placed.message, placed.lastTransitionTime)]
  }
  const reason = copy.status?.reason
  if (reason === "WaitingForPredecessor" || reason === "WaitingForDependencies")
    return ["waiting", told(copy)]
  if (node === null) return ["cannotPlace", missing(copy.spec.nodeName)]
  const ready = condition(node?.status?.conditions, "Ready")
  if (ready && ready.status !== "True") {
    const silent = reasonCause(ready.reason ?? "LeaseExpired", ready.message, ready.lastTransitionTime)
    return ready.status === "False" ? ["agentStopped", silent] : ["nodeLost", silent]
  }
  return ["pending"]
}

function missing(node: string): Cause {
  const cause = reasonCause("NoSuchNode")
  return { ...cause, says: sentence("detail.NoSuchNode", { nodes: node }) }
}

/** The cause that the status itself names. */
function told(copy: AssignmentLike, otherwise = "Unknown"): Cause {
  const { reason, message } = copy.status ?? {}
  const ready = condition(copy.status?.conditions, "Ready")
  return reasonCause(reason || otherwise, message, ready?.lastTransitionTime)
}

/** The cause of a copy that ended by itself: how, in the words of the loop or of the single end. */
function ending(copy: AssignmentLike, code: string): Cause {
  const { message: raw = "", exitCode, signal, finishedAt } = copy.status ?? {}
  const how = endingOf(raw, exitCode, signal)
  const cause: Cause = {
    code,
    says: endingWords(how, code === "CrashLoop" ? "again" : "exit"),
    remedy: endingRemedy(how),
    raw,
  }
  if (finishedAt) cause.since = finishedAt
  return cause
}
