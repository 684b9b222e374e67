/**
 * What the words need to know of the API's objects. The generated types fit these shapes; they ask for less, so that
 * an object without a status, or an older server's, is no special case.
 */

export interface Meta {
  name?: string
  namespace?: string
  uid?: string
  generation?: number
  annotations?: Record<string, string>
  creationTimestamp?: string
  deletionTimestamp?: string
}

export interface ConditionLike {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
}

export interface AssignmentLike {
  metadata?: Meta
  spec: {
    taskName: string
    entry: string
    nodeName?: string
    replaces?: string
    desired?: string
    templateHash?: string
    template?: {
      restartPolicy?: string
      stopSignal?: string
      terminationGracePeriodSeconds?: number
      probes?: { startup?: unknown; liveness?: unknown; readiness?: unknown }
    }
  }
  status?: {
    phase?: string
    reason?: string
    message?: string
    exitCode?: number | null
    signal?: number | null
    restarts?: number
    startedAt?: string
    finishedAt?: string
    previousStartedAt?: string
    conditions?: readonly ConditionLike[]
  }
}

export interface TaskLike {
  metadata?: Meta
  spec: {
    state?: string
    entries: readonly { name?: string; replicas?: number; nodeReplicas?: Record<string, number> }[]
    strategy?: { maxUnavailable?: number }
  }
  status?: {
    observedGeneration?: number
    updatedReplicas?: number
    conditions?: readonly ConditionLike[]
  }
}

export interface NodeLike {
  metadata?: Meta
  spec?: { unschedulable?: boolean }
  status?: { agent?: { name?: string; version?: string }; conditions?: readonly ConditionLike[] }
}

export interface ServiceLike {
  metadata?: Meta
  spec?: { selector?: Record<string, string> }
  status?: { endpoints?: number; readyEndpoints?: number }
}

export interface EndpointLike {
  spec?: { healthOverride?: boolean | null; leaseSeconds?: number | null }
  status?: { healthy?: boolean; reason?: string; lastSeen?: string }
}

export interface EventLike {
  type?: string
  reason?: string
  message?: string
}

export function condition(
  conditions: readonly ConditionLike[] | undefined,
  type: string,
): ConditionLike | undefined {
  return conditions?.find((one) => one.type === type)
}

/** How many copies the task asks for. An entry with neither count asks for one. */
export function desiredCopies(task: TaskLike): number {
  return task.spec.entries.reduce((sum, entry) => sum + copiesOf(entry), 0)
}

/** How many copies an entry asks for. */
export function copiesOf(entry: TaskLike["spec"]["entries"][number]): number {
  const homes = Object.values(entry.nodeReplicas ?? {})
  return homes.length ? homes.reduce((sum, count) => sum + count, 0) : (entry.replicas ?? 1)
}

export function isLeaving(object: { metadata?: Meta }): boolean {
  return object.metadata?.deletionTimestamp !== undefined
}

/** Whether a live copy does its work, as far as anyone knows; the rule of the task controller. */
export function isReady(copy: AssignmentLike): boolean {
  return (
    !isLeaving(copy) &&
    copy.spec.desired !== "Stopped" &&
    copy.status?.phase !== "Unknown" &&
    condition(copy.status?.conditions, "Ready")?.status === "True"
  )
}

/** Whether a live copy has done its work for good: it ended well, and does not start again by itself. */
export function isCompleted(copy: AssignmentLike): boolean {
  const policy = copy.spec.template?.restartPolicy ?? "Always"
  return !isLeaving(copy) && copy.status?.phase === "Exited" && policy !== "Always"
}
