import { describe, expect, it } from "vitest"
import type { Assignment } from "../api/types"
import { Rows } from "./rows"

const NOW = Date.parse("2026-01-01T00:10:00Z")

function assignment(restarts = 0): Assignment {
  return {
    apiVersion: "plum.dev/v1",
    kind: "Assignment",
    metadata: {
      name: "web-main-abcdefgh",
      namespace: "prod",
      uid: "u",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: {
      taskName: "web",
      entry: "main",
      nodeName: "n1",
      desired: "Running",
      taskState: "Running",
      ordinal: 0,
      attempt: 0,
      templateHash: "h",
      template: {
        artifactUrl: "",
        sha256: "",
        restartPolicy: "Always",
        stopSignal: "TERM",
        terminationGracePeriodSeconds: 5,
      },
    },
    status: {
      phase: "Running",
      restarts,
      exitCode: 1,
      startedAt: "2026-01-01T00:09:00Z",
      finishedAt: "2026-01-01T00:08:59Z",
      previousStartedAt: "2026-01-01T00:08:00Z",
      ports: [{ name: "http", port: 8080 }],
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "Running",
          message: "",
          lastTransitionTime: "2026-01-01T00:09:00Z",
        },
      ],
    },
  }
}

describe("Rows", () => {
  it("says what a row shows", () => {
    const row = new Rows().of(assignment(), NOW, undefined, undefined)
    expect(row).toMatchObject({
      key: "prod/web-main-abcdefgh",
      id: "prod.web-main-abcdefgh",
      ports: "http:8080",
      isReady: true,
    })
    expect(row.verdict.state).toBe("running")
  })

  it("keeps a row while nothing has changed, however the time goes", () => {
    const rows = new Rows()
    const one = assignment()
    const row = rows.of(one, NOW, undefined, undefined)
    expect(rows.of(one, NOW + 5000, undefined, undefined)).toBe(row)
    expect(rows.of({ ...one }, NOW, undefined, undefined)).not.toBe(row)
  })

  it("judges what was restarted again as time goes by", () => {
    const rows = new Rows()
    const one = assignment(2)
    const row = rows.of(one, NOW, undefined, undefined)
    expect(row.verdict.state).toBe("crashLoop")
    expect(rows.of(one, NOW + 5000, undefined, undefined)).toBe(row)
    expect(rows.of(one, NOW + 3_600_000, undefined, undefined).verdict.state).toBe("running")
  })

  it("looks again when its node or its usage has changed", () => {
    const rows = new Rows()
    const one = assignment()
    const row = rows.of(one, NOW, undefined, undefined)
    expect(rows.of(one, NOW, null, undefined)).not.toBe(row)
  })
})
