import { describe, expect, it } from "vitest"
import type { HistoryItem } from "../api/types"
import { momentOf, pastOf, runsOf } from "./runs"

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()

function item(second: number, changes: Record<string, [unknown, unknown]>): HistoryItem {
  return {
    version: String(second),
    time: at(second),
    type: "MODIFIED",
    user: "x",
    manager: "plum-agent",
    uid: "u",
    generation: 1,
    changes: Object.entries(changes).map(([path, [from, to]]) => ({
      path,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    })),
  }
}

const started = item(1, { "status.phase": [undefined, "Running"], "status.startedAt": [undefined, at(1)] })
const crashed = item(5, {
  "status.phase": ["Running", "Failed"],
  "status.message": [undefined, "exited with code 3"],
  "status.exitCode": [undefined, 3],
  "status.finishedAt": [undefined, at(5)],
  "status.previousStartedAt": [undefined, at(1)],
})
const again = item(7, {
  "status.phase": ["Failed", "Running"],
  "status.message": ["exited with code 3", undefined],
  "status.startedAt": [at(1), at(7)],
})
const now = {
  phase: "Running",
  startedAt: at(7),
  finishedAt: at(5),
  previousStartedAt: at(1),
  exitCode: 3,
}

describe("runsOf", () => {
  it("tells runs and their ends from the changes", () => {
    const past = pastOf(now, [again, crashed, started], "u")
    expect(runsOf(past, 5000)).toEqual([
      { startedAt: at(1), finishedAt: at(5), exitCode: 3, message: "exited with code 3", outcome: "failed" },
      { startedAt: at(7), outcome: "running" },
    ])
  })

  it("knows the last end by the status alone", () => {
    const runs = runsOf({ moments: [now], asked: [] }, 5000)
    expect(runs.map(({ startedAt, outcome }) => [startedAt, outcome])).toEqual([
      [at(1), "failed"],
      [at(7), "running"],
    ])
  })

  it("tells what was asked for from what happened", () => {
    const asked = item(20, { "metadata.annotations[plum.dev/restartedAt]": [undefined, at(20)] })
    const restarted = item(21, {
      "status.signal": [undefined, 15],
      "status.startedAt": [at(7), at(21)],
      "status.finishedAt": [undefined, at(20.5)],
      "status.previousStartedAt": [undefined, at(7)],
    })
    const after = {
      phase: "Running",
      startedAt: at(21),
      finishedAt: at(20.5),
      previousStartedAt: at(7),
      signal: 15,
    }
    const begun = item(7, { "status.startedAt": [undefined, at(7)], "status.phase": [undefined, "Running"] })
    const runs = runsOf(pastOf(after, [restarted, asked, begun], "u"), 5000)
    expect(runs.map(({ outcome }) => outcome)).toEqual(["restarted", "running"])
  })

  it("does not mix up another object of the same name, nor what is forgotten", () => {
    expect(pastOf(now, [again, { ...crashed, truncated: true }, started], "u").moments).toHaveLength(1)
    expect(pastOf(now, [again, { ...crashed, uid: "other" }], "u").moments).toHaveLength(1)
  })

  it("does not guess at an end that nobody noted", () => {
    const lost = runsOf(
      {
        moments: [
          { phase: "Running", startedAt: at(1) },
          { phase: "Running", startedAt: at(9) },
        ],
        asked: [],
      },
      5000,
    )
    expect(lost.map(({ outcome }) => outcome)).toEqual(["unknown", "running"])
    expect(runsOf({ moments: [], asked: [] }, 5000)).toEqual([])
  })
})

describe("momentOf", () => {
  it("takes what there is", () => {
    expect(momentOf({ status: { restarts: 1, phase: "Exited", exitCode: 0 } })).toEqual({
      phase: "Exited",
      exitCode: 0,
    })
  })
})
