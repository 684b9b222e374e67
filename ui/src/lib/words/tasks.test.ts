import { describe, expect, it } from "vitest"
import { ago, condition, copy, crashing, NODES, NOW, task } from "./fixtures"
import { fleetVerdict } from "./fleet"
import type { AssignmentLike, TaskLike } from "./objects"
import { sayAll } from "./sentences"
import { said, speak } from "./speaking"
import { taskVerdict } from "./tasks"

const judge = (what: TaskLike, copies: readonly AssignmentLike[]) => taskVerdict(what, copies, NODES, NOW)

const unready = (name: string) =>
  copy({
    name,
    status: { phase: "Running", conditions: [condition("Ready", "False", "ProbeFailed", "readiness: x: y")] },
  })

describe("a task", () => {
  it("is healthy when all copies are ready", () => {
    const verdict = judge(task(2), [copy({ name: "a" }), copy({ name: "b" })])
    expect(verdict).toMatchObject({
      state: "healthy",
      level: "ok",
      causes: [],
      counts: { desired: 2, ready: 2, running: 2, failing: 0, preparing: 0, stopped: 0 },
      segments: [{ kind: "ready", level: "ok", count: 2 }],
    })
    expect(said(verdict.word)).toBe("Healthy")
  })

  it("is down in a crash loop, also while its copies happen to be ready", () => {
    const verdict = judge(task(2), [crashing("Running"), crashing("BackOff", 1, "web-main-b")])
    expect(verdict).toMatchObject({ state: "down", level: "bad", counts: { ready: 0, failing: 2 } })
    expect(verdict.causes).toHaveLength(1)
    expect(verdict.causes[0]).toMatchObject({ code: "CrashLoop", count: 2 })
    expect(said(verdict.causes[0]?.says)).toBe("It ends with code 1 again and again.")
  })

  it("is degraded while some copies do their work, and tells the worst cause first", () => {
    const verdict = judge(task(4), [copy(), unready("b"), unready("c"), crashing("BackOff")])
    expect(verdict).toMatchObject({ state: "degraded", level: "warn" })
    expect(verdict.causes.map(({ code, count }) => [code, count])).toEqual([
      ["CrashLoop", 1],
      ["ProbeFailed", 2],
    ])
    expect(verdict.segments.map(({ kind, count }) => [kind, count])).toEqual([
      ["ready", 1],
      ["warn", 2],
      ["bad", 1],
    ])
  })

  it("takes causes for one that differ only in the copies' ports", () => {
    const asked = (port: number) => `readiness: GET http://127.0.0.1:${port}/ready: answered 503`
    const copies = [20001, 20002].map((port) => {
      const conditions = [condition("Ready", "False", "ProbeFailed", asked(port))]
      return copy({ name: `web-main-${port}`, status: { phase: "Running", conditions } })
    })
    expect(judge(task(2), copies).causes).toMatchObject([{ code: "ProbeFailed", count: 2 }])
  })

  it("cannot be placed when no node takes it", () => {
    const placed = condition("Placed", "False", "PortTaken", "no ready node has port 80 free; add a node")
    const verdict = judge(task(1), [copy({ spec: { nodeName: "" }, status: { conditions: [placed] } })])
    expect(verdict).toMatchObject({ state: "cannotPlace", level: "bad" })
    expect(said(verdict.causes[0]?.says)).toBe("No ready node has port 80 free.")
  })

  it("is out of contact when its nodes are", () => {
    const lost = copy({ status: { phase: "Unknown", reason: "NodeSilent", message: "node nodeA is silent" } })
    expect(judge(task(1), [lost])).toMatchObject({
      state: "lost",
      level: "bad",
      causes: [{ code: "NodeSilent" }],
    })
  })

  it("lacks its app", () => {
    const message = "entry main: app shop:2 is not in namespace default; push it with 'plumctl app push'"
    const conditions = [condition("Progressing", "False", "ArtifactMissing", message)]
    const verdict = judge(task(1, { status: { observedGeneration: 1, conditions } }), [])
    expect(verdict).toMatchObject({
      state: "appMissing",
      level: "bad",
      segments: [{ kind: "missing", count: 1 }],
    })
    expect(said(verdict.causes[0]?.says)).toBe(
      "Entry main: the app shop:2 has not been uploaded to namespace default.",
    )
  })

  it("starts, scales and rolls out", () => {
    const preparing = copy({ name: "b", status: { phase: "Preparing", reason: "Preparing" } })
    expect(judge(task(1), [preparing]).state).toBe("starting")
    expect(judge(task(1), []).state).toBe("starting")
    expect(judge(task(2), [copy(), preparing]).state).toBe("scaling")
    const old = copy({ name: "c", spec: { templateHash: "h0" }, meta: { deletionTimestamp: ago(1) } })
    expect(judge(task(1), [old, preparing]).state).toBe("rollingOut")
    const newer = task(1, { metadata: { name: "web", generation: 2 } })
    expect(judge(newer, [copy()]).state).toBe("rollingOut")
  })

  it("is stopped when nothing of it runs any more", () => {
    const stopped = task(1, { spec: { state: "Stopped", entries: [{ replicas: 1 }] } })
    const spec = { desired: "Stopped" }
    const quiet = copy({ spec, status: { phase: "Stopped", reason: "Stopped" } })
    expect(judge(stopped, [copy({ spec })]).state).toBe("stopping")
    expect(judge(stopped, [quiet])).toMatchObject({ state: "stopped", level: "idle", counts: { stopped: 1 } })
    expect(judge(task(1), [quiet]).state).toBe("stopped")
    expect(judge(task(2), [quiet, copy()]).state).toBe("healthy")
  })

  it("may ask for nothing, and may be on its way out", () => {
    expect(judge(task(0), [])).toMatchObject({ state: "empty", level: "idle" })
    expect(judge(task(1, { metadata: { deletionTimestamp: ago(1) } }), [copy()]).state).toBe("deleting")
  })

  it("counts homes, and takes a completed copy for a good one", () => {
    const entries = [{ nodeReplicas: { nodeA: 2, nodeB: 1 } }]
    const job = (name: string) =>
      copy({ name, spec: { template: { restartPolicy: "Never" } }, status: { phase: "Exited", exitCode: 0 } })
    const verdict = judge(task(1, { spec: { entries } }), [job("a"), job("b"), job("c")])
    expect(verdict).toMatchObject({ state: "completed", level: "ok", counts: { desired: 3, ready: 3 } })
  })

  it("does not know of nodes before they are listed", () => {
    const waiting = copy({ spec: { nodeName: "nodeX" }, status: {} })
    expect(taskVerdict(task(1), [waiting], new Map(), NOW).state).toBe("starting")
    expect(judge(task(1), [waiting])).toMatchObject({
      state: "cannotPlace",
      causes: [{ code: "NoSuchNode" }],
    })
  })
})

describe("the fleet", () => {
  const nodes = [...NODES.values()]
  const english = (parts: Parameters<typeof sayAll>[1]) =>
    sayAll((key, params) => speak({ key, params }), parts)

  it("is well when everything runs", () => {
    const verdict = fleetVerdict([task(1)], [copy()], nodes, NOW)
    expect(verdict.level).toBe("ok")
    expect(english(verdict.headline)).toBe("Everything runs")
  })

  it("tells what is wrong, and puts it first", () => {
    const calm = task(1, { metadata: { name: "calm", namespace: "default" } })
    const lost = {
      ...nodes[0],
      metadata: { name: "nodeB" },
      status: { conditions: [condition("Ready", "Unknown", "LeaseExpired")] },
    }
    const copies = [crashing("BackOff"), copy({ name: "calm-1", spec: { taskName: "calm" } })]
    const verdict = fleetVerdict([calm, task(1)], copies, [...nodes, lost], NOW)
    expect(verdict.level).toBe("bad")
    expect(english(verdict.headline)).toBe("1 task is down, 1 node is lost")
    expect(verdict.tasks.map(({ name }) => name)).toEqual(["web", "calm"])
    expect(verdict.taskLevels).toMatchObject({ bad: 1, ok: 1 })
    expect(verdict.nodeLevels).toMatchObject({ bad: 1, ok: 1 })
  })

  it("says what is still to be done in an empty cluster", () => {
    expect(english(fleetVerdict([], [], [], NOW).headline)).toBe("No nodes yet")
    expect(english(fleetVerdict([], [], nodes, NOW).headline)).toBe("Nothing to run yet")
    expect(fleetVerdict([], [], nodes, NOW).level).toBe("ok")
  })

  it("keeps tasks of one name in two namespaces apart", () => {
    const far = task(1, { metadata: { name: "web", namespace: "team" } })
    const verdict = fleetVerdict([far, task(1)], [copy()], nodes, NOW)
    expect(verdict.tasks.map(({ namespace, verdict: { state } }) => [namespace, state])).toEqual([
      ["team", "starting"],
      ["default", "healthy"],
    ])
  })
})
