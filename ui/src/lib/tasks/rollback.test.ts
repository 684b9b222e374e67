import { describe, expect, it } from "vitest"
import type { Entry, Revision, TaskSpec } from "@/lib/api/types"
import { entry, task } from "./fixtures"
import { isRolledOut, rolledBack, specOf, templateOf } from "./rollback"

const spec = (...entries: Entry[]): TaskSpec => task(entries).spec
const revision = (number: number, ...entries: Entry[]): Revision => ({
  revision: number,
  version: String(number),
  time: "2026-03-01T11:00:00Z",
  user: "",
  manager: "",
  spec: { ...spec(...entries) },
})
const run = (startCmd: string, more: Partial<Entry> = {}) => entry({ startCmd, ...more })

it("counts as running already whatever differs in counts alone", () => {
  const kept = specOf(revision(5, run("b", { replicas: 2 })))
  expect(isRolledOut(spec(run("b", { replicas: 7 })), kept)).toBe(true)
  expect(isRolledOut(spec(run("a", { replicas: 2 })), kept)).toBe(false)
})

describe("back to a revision", () => {
  it("keeps the state and today's counts; what is gone comes back as it was", () => {
    const present: TaskSpec = {
      ...spec(run("bad", { nodeReplicas: { n: 2 } }), entry({ name: "new", replicas: 9 })),
      state: "Stopped",
    }
    const past: TaskSpec = {
      ...spec(run("a", { replicas: 1 }), entry({ name: "gone", replicas: 4 })),
      strategy: { maxUnavailable: 1, maxSurge: 2 },
    }
    expect(rolledBack(present, past)).toEqual({
      state: "Stopped",
      entries: [run("a", { nodeReplicas: { n: 2 } }), entry({ name: "gone", replicas: 4 })],
      strategy: { maxUnavailable: 1, maxSurge: 2 },
    })
  })

  it("does not bring back a count that is not given today", () => {
    expect(rolledBack(spec(run("b")), spec(run("a", { replicas: 3 }))).entries).toEqual([run("a")])
  })

  it("leaves fields in the server's order, so that nothing seems to have moved", () => {
    const [made] = rolledBack(spec(run("b", { replicas: 3 })), spec({ ...entry(), startCmd: "a" })).entries
    expect(Object.keys(made ?? {}).slice(0, 4)).toEqual(["name", "app", "startCmd", "replicas"])
  })

  it("runs what the revision ran, leads back again, and touches nothing", () => {
    const present = spec(run("b", { replicas: 3 }), entry({ name: "x", replicas: 2 }))
    const past = spec(run("a", { replicas: 1 }), entry({ name: "x", app: { name: "y", version: "2" } }))
    const before = JSON.stringify([present, past])
    const after = rolledBack(present, past)
    expect(isRolledOut(after, past)).toBe(true)
    expect(templateOf(after)).toEqual(templateOf(past))
    expect(rolledBack(after, present)).toEqual(present)
    expect(JSON.stringify([present, past])).toBe(before)
  })

  it("compares whatever the order of fields, and not counts", () => {
    const one = spec({ ...run("a"), replicas: 3 })
    const other = spec({ startCmd: "a", ...entry(), labels: undefined })
    expect(isRolledOut(one, other)).toBe(true)
    expect(isRolledOut(one, spec(run("b")))).toBe(false)
  })
})

it("refuses a revision that is none of a task", () => {
  expect(specOf(revision(1, run("a"))).entries).toHaveLength(1)
  expect(() => specOf({ ...revision(1), spec: {} })).toThrow("revision 1")
})
