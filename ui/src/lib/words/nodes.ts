/** What is to be said of a node: its readiness, and whether new copies go there. */
import { condition, isLeaving, type NodeLike } from "./objects"
import { reasonCause } from "./reasons"
import { sentence, type Cause, type Level, type Sentence } from "./sentences"

export const NODE_STATES = {
  ready: "ok",
  cordoned: "warn",
  draining: "busy",
  stopped: "idle",
  joining: "busy",
  lost: "bad",
  deleting: "busy",
} as const satisfies Record<string, Level>

export type NodeState = keyof typeof NODE_STATES

export interface NodeVerdict {
  state: NodeState
  level: Level
  word: Sentence
  cause?: Cause
}

/** States in which the agent runs and says so. */
export function isUp(state: NodeState): boolean {
  return state === "ready" || state === "cordoned" || state === "draining"
}

/** A node that has just registered has no lease for a moment; longer than this it is lost. */
const JOINING_MS = 20_000

export function nodeVerdict(node: NodeLike, now: number): NodeVerdict {
  const [state, cause] = judge(node, now)
  const verdict: NodeVerdict = { state, level: NODE_STATES[state], word: sentence(`node.${state}`) }
  if (cause) verdict.cause = cause
  return verdict
}

function judge(node: NodeLike, now: number): [NodeState, Cause?] {
  if (isLeaving(node)) return ["deleting"]
  const ready = condition(node.status?.conditions, "Ready")
  const cause = ready && reasonCause(ready.reason ?? "", ready.message, ready.lastTransitionTime)
  if (ready?.status === "False") return ["stopped", cause]
  if (ready?.status !== "True")
    return isNew(node, now) ? ["joining"] : ["lost", cause ?? reasonCause("LeaseExpired")]
  const draining = condition(node.status?.conditions, "Draining")
  if (draining?.status === "True") {
    return ["draining", reasonCause(draining.reason ?? "", draining.message, draining.lastTransitionTime)]
  }
  return node.spec?.unschedulable ? ["cordoned", reasonCause("Unschedulable")] : ["ready"]
}

function isNew(node: NodeLike, now: number): boolean {
  return now - Date.parse(node.metadata?.creationTimestamp ?? "") < JOINING_MS
}
