/** For tests: objects as the server gives them, with what a test is about. */
import type { AssignmentLike, ConditionLike, NodeLike, TaskLike } from "./objects"

export const NOW = Date.parse("2026-03-01T12:00:00Z")

/** The time so many seconds before now. */
export function ago(seconds: number): string {
  return new Date(NOW - seconds * 1000).toISOString()
}

export function condition(type: string, status: string, reason: string, message = ""): ConditionLike {
  return { type, status, reason, message, lastTransitionTime: ago(60) }
}

export const READY = condition("Ready", "True", "Running")

export interface CopyChanges {
  name?: string
  spec?: Partial<AssignmentLike["spec"]>
  status?: AssignmentLike["status"]
  meta?: AssignmentLike["metadata"]
}

/** A copy that runs and is ready, but for the changes. A status given replaces that of the running one. */
export function copy({ name = "web-main-abcdefgh", spec, status, meta }: CopyChanges = {}): AssignmentLike {
  return {
    metadata: { name, namespace: "default", ...meta },
    spec: {
      taskName: "web",
      entry: "main",
      nodeName: "nodeA",
      desired: "Running",
      templateHash: "h1",
      template: { restartPolicy: "Always", stopSignal: "TERM", terminationGracePeriodSeconds: 5 },
      ...spec,
    },
    status: status ?? { phase: "Running", reason: "Running", restarts: 0, conditions: [READY] },
  }
}

/** A copy that keeps ending with a code, between two starts or waiting for the next. */
export function crashing(
  phase: "Running" | "BackOff",
  exitCode = 1,
  name = "web-main-crashing",
): AssignmentLike {
  const waits = `exited with code ${exitCode}, 5 times in a row; starts again after 16 s`
  return copy({
    name,
    status: {
      phase,
      reason: phase,
      message: phase === "BackOff" ? waits : "",
      exitCode,
      restarts: 5,
      finishedAt: ago(20),
      previousStartedAt: ago(22),
      startedAt: ago(phase === "Running" ? 3 : 22),
      conditions: [phase === "Running" ? READY : condition("Ready", "False", "BackOff")],
    },
  })
}

export function node(name: string, status = "True", reason = "AgentReady"): NodeLike {
  return {
    metadata: { name, creationTimestamp: ago(3600) },
    spec: {},
    status: { conditions: [condition("Ready", status, reason)] },
  }
}

export const NODES: ReadonlyMap<string, NodeLike> = new Map([["nodeA", node("nodeA")]])

export function task(replicas = 1, changes: Partial<TaskLike> = {}): TaskLike {
  return {
    metadata: { name: "web", namespace: "default", generation: 1 },
    spec: { state: "Running", entries: [{ name: "main", replicas }] },
    status: { observedGeneration: 1, conditions: [] },
    ...changes,
  }
}
