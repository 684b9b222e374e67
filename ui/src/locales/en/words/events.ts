import type { EventCode } from "../../../lib/words/codes"

export const event: Record<EventCode, string> = {
  Started: "The process started.",
  Killing: "The process was asked to end.",
  Unhealthy: "A probe failed.",
  Exited: "The process ended well.",
  Failed: "The process failed.",
  BackOff: "The next start waits a while.",
  MetaUnreadable: "The app's meta.ini cannot be read, so nothing of it counts.",
  Created: "Instances were created.",
  Deleted: "Instances were deleted.",
  NodeReady: "The node is ready.",
  NodeNotReady: "The node is not ready any more.",
}

export const eventDetail = {
  Started: "The process started on {node}.",
  Killing: "The process was asked to end by SIG{signal}, within {seconds} s.",
  Unhealthy: "The {probe} probe failed: @:{seen}.",
  BackOff: "The next start follows after {seconds} s.",
  Created: "{count} instance was created. | {count} instances were created.",
  Deleted: "{count} instance was deleted. | {count} instances were deleted.",
}

export const condition = {
  Available: { true: "Available", false: "Not available", unknown: "Availability unknown" },
  Progressing: { true: "Up to date or on its way", false: "Stuck", unknown: "Progress unknown" },
  Placed: { true: "Placed", false: "Not placed", unknown: "Placement unknown" },
  Prepared: { true: "Prepared", false: "Not prepared", unknown: "Preparation unknown" },
  Ready: { true: "Ready", false: "Not ready", unknown: "Readiness unknown" },
  DependenciesReady: {
    true: "Dependencies ready",
    false: "Waiting for dependencies",
    unknown: "Dependencies unknown",
  },
  Reported: { true: "Reported healthy", false: "Reported unhealthy", unknown: "Not reported" },
  Draining: { true: "Draining", false: "Not draining", unknown: "Draining unknown" },
  NamespaceContentRemaining: {
    true: "Content remains",
    false: "Content removed",
    unknown: "Content unknown",
  },
  NamespaceFinalizersRemaining: {
    true: "Finalizers remain",
    false: "No finalizers left",
    unknown: "Finalizers unknown",
  },
  NamespaceDeletionContentFailure: {
    true: "Deletion fails",
    false: "Deletion goes on",
    unknown: "Deletion unknown",
  },
  other: { true: "{type}: yes", false: "{type}: no", unknown: "{type}: unknown" },
}
