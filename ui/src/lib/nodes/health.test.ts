import { expect, it } from "vitest"
import type { Assignment, Node } from "@/lib/api/types"
import { healthByNode } from "./health"

const node = {
  metadata: { name: "n1", creationTimestamp: "2026-01-01T00:00:00Z" },
  status: { conditions: [{ type: "Ready", status: "True" }] },
} as Node

function copy(nodeName: string, phase: "Running" | "Stopped", desired: "Running" | "Stopped"): Assignment {
  return {
    metadata: { name: `${nodeName}-${phase}`, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { nodeName, desired, taskName: "t", entry: "main" },
    status: {
      phase,
      restarts: 0,
      conditions: [{ type: "Ready", status: phase === "Running" ? "True" : "False" }],
    },
  } as Assignment
}

it("counts the instances of each node by level, what needs a look first", () => {
  const found = healthByNode(
    [
      copy("n1", "Running", "Running"),
      copy("n1", "Running", "Running"),
      copy("n1", "Stopped", "Stopped"),
      copy("", "Running", "Running"),
    ],
    [node],
    Date.parse("2026-01-01T01:00:00Z"),
  )
  expect([...found]).toEqual([
    [
      "n1",
      {
        count: 3,
        segments: [
          { level: "ok", count: 2 },
          { level: "idle", count: 1 },
        ],
      },
    ],
  ])
})
