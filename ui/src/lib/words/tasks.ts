/** What is to be said of a task, from itself and its copies. */
import { assignmentVerdict, type AssignmentVerdict } from "./assignments"
import { Causes, type SharedCause } from "./causes"
import {
  condition,
  desiredCopies,
  isCompleted,
  isLeaving,
  isReady,
  type AssignmentLike,
  type NodeLike,
  type TaskLike,
} from "./objects"
import { reasonCause } from "./reasons"
import { byLevel, sentence, type Level, type Sentence } from "./sentences"

export const TASK_STATES = {
  healthy: "ok",
  completed: "ok",
  degraded: "warn",
  down: "bad",
  cannotPlace: "bad",
  appMissing: "bad",
  lost: "bad",
  rollingOut: "busy",
  scaling: "busy",
  starting: "busy",
  stopping: "busy",
  deleting: "busy",
  stopped: "idle",
  empty: "idle",
} as const satisfies Record<string, Level>

export type TaskState = keyof typeof TASK_STATES

export interface TaskCounts {
  desired: number
  ready: number
  running: number
  /** Copies that do not do what they should: failed, not ready, impossible to place, lost. */
  failing: number
  preparing: number
  stopped: number
}

/** A part of the health bar; all counts together are the larger of what is wanted and what there is. */
export interface Segment {
  kind: "ready" | "preparing" | "warn" | "bad" | "unknown" | "stopped" | "missing"
  level: Level
  count: number
  word: Sentence
}

export interface TaskVerdict {
  state: TaskState
  level: Level
  word: Sentence
  causes: SharedCause[]
  counts: TaskCounts
  segments: Segment[]
}

/** `copies` are the task's assignments, also those under deletion; `nodes` are all nodes by name. */
export function taskVerdict(
  task: TaskLike,
  copies: readonly AssignmentLike[],
  nodes: ReadonlyMap<string, NodeLike>,
  now: number,
): TaskVerdict {
  const judged = copies.filter((copy) => !isLeaving(copy)).map((copy) => judgedCopy(copy, nodes, now))
  const counts = count(task, judged)
  const state = stateOf(task, copies, judged, counts)
  return {
    state,
    level: TASK_STATES[state],
    word: sentence(`task.${state}`),
    causes: causesOf(task, judged),
    counts,
    segments: segmentsOf(judged, counts.desired),
  }
}

interface Judged {
  copy: AssignmentLike
  verdict: AssignmentVerdict
  /** Ready as the server counts, and not between two crashes. */
  isWell: boolean
}

function judgedCopy(copy: AssignmentLike, nodes: ReadonlyMap<string, NodeLike>, now: number): Judged {
  // While the nodes have not been listed yet, none is known to be absent.
  const node = copy.spec.nodeName && nodes.size ? (nodes.get(copy.spec.nodeName) ?? null) : undefined
  const verdict = assignmentVerdict(copy, now, node)
  return { copy, verdict, isWell: (isReady(copy) || isCompleted(copy)) && verdict.state !== "crashLoop" }
}

const TROUBLE: ReadonlySet<Level> = new Set(["bad", "warn", "unknown"])

/** One that ran on after a single end does its work; it is worth a look and no failure. */
const isFailing = ({ verdict }: Judged): boolean =>
  TROUBLE.has(verdict.level) && verdict.state !== "restarted"

function count(task: TaskLike, judged: readonly Judged[]): TaskCounts {
  const number = (is: (one: Judged) => boolean) => judged.filter(is).length
  return {
    desired: desiredCopies(task),
    ready: number((one) => one.isWell),
    running: number(({ copy }) => copy.status?.phase === "Running"),
    failing: number(isFailing),
    preparing: number(({ verdict }) => verdict.level === "busy"),
    stopped: number(({ verdict }) => verdict.state === "stopped"),
  }
}

function stateOf(
  task: TaskLike,
  copies: readonly AssignmentLike[],
  judged: readonly Judged[],
  counts: TaskCounts,
): TaskState {
  if (isLeaving(task)) return "deleting"
  if (task.spec.state === "Stopped") return isQuiet(copies) ? "stopped" : "stopping"
  const wanted = counts.desired - judged.filter(({ copy }) => copy.spec.desired === "Stopped").length
  if (counts.desired === 0) return isQuiet(copies) ? "empty" : "stopping"
  if (wanted <= 0) return isQuiet(copies) ? "stopped" : "stopping"
  if (condition(task.status?.conditions, "Progressing")?.reason === "ArtifactMissing") {
    return counts.ready >= wanted ? "degraded" : counts.ready ? "degraded" : "appMissing"
  }
  if (counts.failing) return failingState(judged.filter(isFailing), counts)
  return wellState(task, copies, judged, counts.ready >= wanted)
}

/** Nothing runs any more, or is about to end. */
function isQuiet(copies: readonly AssignmentLike[]): boolean {
  const ended = ["Stopped", "Exited", "Failed", "Pending", "Unknown"]
  return copies.every((copy) => !isLeaving(copy) && ended.includes(copy.status?.phase ?? "Pending"))
}

function failingState(failing: readonly Judged[], counts: TaskCounts): TaskState {
  if (counts.ready) return "degraded"
  if (failing.every(({ verdict }) => verdict.state === "cannotPlace")) return "cannotPlace"
  if (failing.every(({ verdict }) => verdict.level === "unknown")) return "lost"
  return "down"
}

function wellState(
  task: TaskLike,
  copies: readonly AssignmentLike[],
  judged: readonly Judged[],
  isFull: boolean,
): TaskState {
  if (isRollingOut(task, copies, judged)) return "rollingOut"
  if (isFull) return judged.every(({ copy }) => isCompleted(copy)) ? "completed" : "healthy"
  return judged.some(({ isWell }) => isWell) ? "scaling" : "starting"
}

/** Whether old copies give way to new ones: the controller has not seen the spec yet, or copies of one entry differ. */
function isRollingOut(task: TaskLike, copies: readonly AssignmentLike[], judged: readonly Judged[]): boolean {
  if (!judged.length) return false
  const generation = task.metadata?.generation
  const seen = task.status?.observedGeneration
  if (generation !== undefined && seen !== undefined && seen < generation) return true
  const hashes = new Map<string, string | undefined>()
  return copies.some((copy) => {
    const { entry, templateHash } = copy.spec
    if (!hashes.has(entry)) hashes.set(entry, templateHash)
    return hashes.get(entry) !== templateHash
  })
}

function causesOf(task: TaskLike, judged: readonly Judged[]): SharedCause[] {
  const causes = new Causes()
  const progressing = condition(task.status?.conditions, "Progressing")
  if (progressing?.reason === "ArtifactMissing" && progressing.status === "False") {
    causes.add(reasonCause("ArtifactMissing", progressing.message, progressing.lastTransitionTime))
  }
  for (const { copy, verdict } of judged) {
    if (verdict.cause && verdict.state !== "starting") causes.add(verdict.cause, copy.metadata?.name ?? "")
  }
  return causes.sorted()
}

type Kind = Segment["kind"]

const KINDS: readonly (readonly [Kind, Level])[] = [
  ["ready", "ok"],
  ["preparing", "busy"],
  ["warn", "warn"],
  ["bad", "bad"],
  ["unknown", "unknown"],
  ["stopped", "idle"],
  ["missing", "idle"],
]

function segmentsOf(judged: readonly Judged[], desired: number): Segment[] {
  const numbers = new Map<Kind, number>([["missing", Math.max(0, desired - judged.length)]])
  for (const one of judged) {
    const kind = segmentKind(one)
    numbers.set(kind, (numbers.get(kind) ?? 0) + 1)
  }
  return KINDS.flatMap(([kind, level]) => {
    const count = numbers.get(kind) ?? 0
    return count ? [{ kind, level, count, word: sentence(`segment.${kind}`, { count }) }] : []
  })
}

function segmentKind({ verdict, isWell }: Judged): Kind {
  switch (verdict.level) {
    case "ok":
      return "ready"
    case "busy":
      return "preparing"
    case "idle":
      return "stopped"
    case "warn":
      return isWell ? "ready" : "warn"
    default:
      return verdict.level
  }
}

/** For lists: what needs a look first, then by name. */
export function byTrouble(
  a: { verdict: TaskVerdict; name: string },
  b: { verdict: TaskVerdict; name: string },
): number {
  return byLevel(a.verdict.level, b.verdict.level) || a.name.localeCompare(b.name)
}
