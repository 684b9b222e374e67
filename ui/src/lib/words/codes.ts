/**
 * Which of the server's reasons there are words for. The locales have exactly these keys (their types say so), and a
 * test of the Python side finds the reasons in the programs that write them.
 */

/** Reasons of statuses and conditions. */
export const REASONS = [
  // An assignment's way to a node.
  "Bound",
  "Scheduling",
  "NoReadyNode",
  "PortTaken",
  "NeedsPlumAgent",
  "NoSuchNode",
  "AllPlaced",
  // Its archive.
  "Unpacked",
  "Preparing",
  "ArtifactNotFound",
  "ArtifactRefused",
  "ArtifactUnavailable",
  "ArtifactCorrupt",
  "ArtifactInvalid",
  "DiskFull",
  "UnpackFailed",
  "PrepareFailed",
  // Its process.
  "Pending",
  "WaitingForPredecessor",
  "WaitingForDependencies",
  "DependenciesReady",
  "Starting",
  "StartFailed",
  "Running",
  "ProbePending",
  "ProbeFailed",
  "Unhealthy",
  "BackOff",
  "CrashLoop",
  "Restarted",
  "Exited",
  "Completed",
  "Failed",
  "Error",
  "Stopping",
  "Stopped",
  "AgentStopped",
  "AgentRestarted",
  "NodeRestarted",
  "InDoubt",
  "NodeSilent",
  "NotReported",
  "Unknown",
  // A task.
  "TaskStopped",
  "EnoughReady",
  "TooFewReady",
  "ArtifactMissing",
  "RollingOut",
  "RolloutComplete",
  // A node.
  "AgentReady",
  "LeaseExpired",
  "AgentDraining",
  "Drained",
  "Unschedulable",
  // An endpoint.
  "Ready",
  "NotReady",
  "Overridden",
  "Registered",
  "InstanceLeaving",
  "InstanceStopped",
  "InstanceNotRunning",
  "Expired",
  // A namespace under deletion.
  "ContentDeletionFailed",
  "ContentDeleted",
  "SomeResourcesRemain",
  "ContentRemoved",
  "SomeFinalizersRemain",
  "ContentHasNoFinalizers",
] as const

/** Reasons that are worth an advice. */
export const REMEDIES = [
  "NoReadyNode",
  "PortTaken",
  "NeedsPlumAgent",
  "NoSuchNode",
  "ArtifactNotFound",
  "ArtifactRefused",
  "ArtifactUnavailable",
  "ArtifactCorrupt",
  "ArtifactInvalid",
  "DiskFull",
  "UnpackFailed",
  "PrepareFailed",
  "WaitingForDependencies",
  "StartFailed",
  "ProbeFailed",
  "Unhealthy",
  "BackOff",
  "CrashLoop",
  "Restarted",
  "Failed",
  "Error",
  "AgentStopped",
  "InDoubt",
  "NodeSilent",
  "NotReported",
  "TaskStopped",
  "ArtifactMissing",
  "LeaseExpired",
  "Unschedulable",
  "NotReady",
  "Overridden",
  "InstanceNotRunning",
  "Expired",
  "ContentDeletionFailed",
  "SomeFinalizersRemain",
] as const

/** Reasons that an event means differently than a status, or that only events have. */
export const EVENTS = [
  "Started",
  "Killing",
  "Unhealthy",
  "Exited",
  "Failed",
  "BackOff",
  "MetaUnreadable",
  "Created",
  "Deleted",
  "NodeReady",
  "NodeNotReady",
] as const

export type ReasonCode = (typeof REASONS)[number]
export type RemedyCode = (typeof REMEDIES)[number]
export type EventCode = (typeof EVENTS)[number]

const reasons: ReadonlySet<string> = new Set(REASONS)
const remedies: ReadonlySet<string> = new Set(REMEDIES)
const events: ReadonlySet<string> = new Set(EVENTS)

export const isReason = (code: string): code is ReasonCode => reasons.has(code)
export const isRemedy = (code: string): code is RemedyCode => remedies.has(code)
export const isEvent = (code: string): code is EventCode => events.has(code)
