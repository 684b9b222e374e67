/** For tests: objects as the server stores them, with what a test is about. */

import type { Assignment, Entry, HistoryItem, Task } from "@/lib/api/types"

const CREATED = "2026-03-01T11:00:00Z"

export function entry(changes: Partial<Entry> = {}): Entry {
  return {
    name: "main",
    app: { name: "web", version: "1.0.0" },
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 5,
    stopSignal: "TERM",
    ...changes,
  }
}

export function task(entries: Entry[] = [entry()], state: "Running" | "Stopped" = "Running"): Task {
  return {
    apiVersion: "plum.dev/v1",
    kind: "Task",
    metadata: {
      name: "web",
      namespace: "default",
      uid: "u1",
      resourceVersion: "7",
      generation: 1,
      creationTimestamp: CREATED,
    },
    spec: { state, entries },
  }
}

export interface CopyChanges {
  metadata?: Partial<Assignment["metadata"]>
  spec?: Partial<Assignment["spec"]>
  status?: Partial<NonNullable<Assignment["status"]>>
}

export function copy(name: string, changes: CopyChanges = {}): Assignment {
  return {
    apiVersion: "plum.dev/v1",
    kind: "Assignment",
    metadata: {
      name,
      namespace: "default",
      uid: name,
      resourceVersion: "8",
      creationTimestamp: CREATED,
      ...changes.metadata,
    },
    spec: {
      taskName: "web",
      entry: "main",
      ordinal: 0,
      attempt: 0,
      nodeName: "nodeA",
      desired: "Running",
      taskState: "Running",
      template: {
        artifactUrl: "/a.zip",
        sha256: "",
        restartPolicy: "Always",
        terminationGracePeriodSeconds: 5,
        stopSignal: "TERM",
      },
      templateHash: "h",
      ...changes.spec,
    },
    status: {
      phase: "Running",
      restarts: 0,
      conditions: [{ type: "Ready", status: "True", reason: "Running", message: "" }],
      ...changes.status,
    },
  }
}

export function change(changes: HistoryItem["changes"], rest: Partial<HistoryItem> = {}): HistoryItem {
  return {
    version: "10",
    time: "2026-03-01T11:30:00Z",
    type: "MODIFIED",
    user: "ann",
    manager: "plumctl",
    uid: "u1",
    generation: 2,
    changes,
    ...rest,
  }
}
