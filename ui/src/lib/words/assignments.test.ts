import { describe, expect, it } from "vitest"
import { assignmentVerdict } from "./assignments"
import { ago, condition, copy, crashing, node, NOW, READY } from "./fixtures"
import type { AssignmentLike, NodeLike } from "./objects"
import { said } from "./speaking"

function verdict(one: AssignmentLike, on?: NodeLike | null) {
  const { state, level, word, cause } = assignmentVerdict(one, NOW, on)
  return { state, level, word: said(word), says: said(cause?.says), remedy: said(cause?.remedy), cause }
}

describe("a copy that does its work", () => {
  it("runs", () => {
    expect(verdict(copy())).toMatchObject({
      state: "running",
      level: "ok",
      word: "Running",
      cause: undefined,
    })
  })

  it("has completed where it need not run on", () => {
    const job = copy({
      spec: { template: { restartPolicy: "OnFailure" } },
      status: { phase: "Exited", exitCode: 0 },
    })
    expect(verdict(job)).toMatchObject({ state: "completed", level: "ok" })
  })

  it("is stopped when that was asked for, and on its way there before", () => {
    const spec = { desired: "Stopped" }
    expect(verdict(copy({ spec, status: { phase: "Stopped", reason: "Stopped" } })).state).toBe("stopped")
    expect(verdict(copy({ spec })).state).toBe("stopping")
    expect(verdict(copy({ meta: { deletionTimestamp: ago(1) } })).state).toBe("stopping")
  })
})

describe("a crash loop", () => {
  it("is one while it waits, and also while it happens to run", () => {
    for (const phase of ["BackOff", "Running"] as const) {
      expect(verdict(crashing(phase))).toMatchObject({
        state: "crashLoop",
        level: "bad",
        word: "Crash loop",
        says: "It ends with code 1 again and again.",
      })
    }
  })

  it.each([
    [126, "Each start ends with code 126: the start command is there but cannot be executed."],
    [127, "Each start ends with code 127: the start command was not found."],
    [137, "It is killed again and again (SIGKILL, code 137)."],
    [139, "It crashes again and again on a bad memory access (SIGSEGV, code 139)."],
    [0, "It ends with code 0 again and again, though it should run on."],
  ])("tells what code %i means", (code, says) => {
    expect(verdict(crashing("BackOff", code)).says).toBe(says)
  })

  it("tells of a probe that has it restarted, and of a start that is refused", () => {
    const waits = "; starts again after 4 s"
    const probe = "liveness: http://127.0.0.1:80/: answered 500, 3 times in a row"
    const unhealthy = copy({ status: { phase: "BackOff", message: probe + waits, signal: 15, restarts: 3 } })
    expect(verdict(unhealthy).says).toBe(
      "It is restarted again and again because its liveness probe fails: http://127.0.0.1:80/: answered 500.",
    )
    const refused = "cannot start the command: No such file or directory, 2 times in a row"
    const cannot = copy({ status: { phase: "BackOff", message: refused + waits, restarts: 2 } })
    expect(verdict(cannot).says).toBe("It cannot be started: No such file or directory.")
  })

  it("is over when the last run was long, or the last end is long ago", () => {
    const stable = copy({ status: { ...crashing("Running").status, previousStartedAt: ago(7200) } })
    expect(verdict(stable)).toMatchObject({
      state: "restarted",
      level: "warn",
      says: "It ended with code 1.",
    })
    const old = copy({ status: { ...crashing("Running").status, finishedAt: ago(700) } })
    expect(verdict(old).state).toBe("running")
  })

  it("is none where people asked for the restarts", () => {
    const status = { ...crashing("Running").status, exitCode: undefined, signal: 9 }
    expect(verdict(copy({ status })).state).toBe("crashLoop")
    expect(verdict(copy({ status, meta: { annotations: { "plum.dev/restartedAt": ago(26) } } })).state).toBe(
      "running",
    )
    expect(verdict(copy({ status: { ...status, signal: 15 } })).state).toBe("running")
  })

  it("is one where a liveness probe sends the stop signal", () => {
    const template = { restartPolicy: "Always", stopSignal: "TERM", probes: { liveness: {} } }
    const status = { ...crashing("Running").status, exitCode: undefined, signal: 15 }
    expect(verdict(copy({ status, spec: { template } })).state).toBe("crashLoop")
  })

  it("begins as a failure, and as a restart", () => {
    const failed = copy({
      status: { phase: "Failed", reason: "Error", exitCode: 3, restarts: 0, finishedAt: ago(1) },
    })
    expect(verdict(failed)).toMatchObject({ state: "failed", level: "bad", says: "It ended with code 3." })
    const status = { ...failed.status, phase: "Running", restarts: 1, conditions: [READY] }
    expect(verdict(copy({ status })).state).toBe("restarted")
  })
})

describe("a copy that cannot begin", () => {
  it("tells why no node takes it", () => {
    const placed = condition("Placed", "False", "NoReadyNode", "no node is ready and schedulable")
    const one = copy({ spec: { nodeName: "" }, status: { conditions: [placed] } })
    expect(verdict(one)).toMatchObject({
      state: "cannotPlace",
      level: "bad",
      word: "Cannot be placed",
      says: "No node is ready and takes new instances.",
    })
    expect(verdict(copy({ spec: { nodeName: "" }, status: {} })).state).toBe("pending")
  })

  it("names the node that does not exist, or is away", () => {
    const one = copy({ spec: { nodeName: "nodeX" }, status: {} })
    expect(verdict(one, null)).toMatchObject({ state: "cannotPlace", says: "There is no such node: nodeX." })
    expect(verdict(one, node("nodeX", "Unknown", "LeaseExpired")).state).toBe("nodeLost")
    expect(verdict(one, node("nodeX", "False", "AgentStopped")).state).toBe("agentStopped")
    expect(verdict(one, node("nodeX")).state).toBe("pending")
  })

  it("tells where its archive was not found", () => {
    const message = "http://x/a.zip: the server answered 404; push the app, or correct the address"
    const status = { phase: "Preparing", reason: "ArtifactNotFound", message }
    expect(verdict(copy({ status }))).toMatchObject({
      state: "cannotPrepare",
      level: "bad",
      says: "The app's archive a.zip is not there: its server answered 404.",
      cause: { code: "ArtifactNotFound", raw: message },
    })
    expect(verdict(copy({ status: { phase: "Preparing", reason: "Preparing" } })).state).toBe("preparing")
    expect(verdict(copy({ status: { phase: "Preparing", reason: "Starting" } })).state).toBe("starting")
  })

  it("waits for others in words", () => {
    const status = { phase: "Pending", reason: "WaitingForDependencies", message: "waits for db, cache" }
    expect(verdict(copy({ status }))).toMatchObject({
      state: "waiting",
      level: "busy",
      says: "It waits for db, cache to be ready.",
    })
  })
})

describe("a copy that runs and is not ready", () => {
  const running = (reason: string, message = "") =>
    copy({
      status: {
        phase: "Running",
        reason: "Running",
        conditions: [condition("Ready", "False", reason, message)],
      },
    })

  it("starts until its probe has answered, and then fails", () => {
    expect(verdict(running("ProbePending", "readiness: nobody has asked yet"))).toMatchObject({
      state: "starting",
      level: "busy",
    })
    expect(verdict(running("ProbeFailed", "readiness: http://127.0.0.1:8080/: answered 503"))).toMatchObject({
      state: "notReady",
      level: "warn",
      says: "It runs, but its readiness probe fails: http://127.0.0.1:8080/: answered 503.",
    })
  })

  it("may be of an original agent, which says no more", () => {
    expect(verdict(running("Running")).cause?.code).toBe("NotReady")
  })
})

describe("a copy of which nobody knows", () => {
  it("is on a lost node, or in doubt", () => {
    const silent = { phase: "Unknown", reason: "NodeSilent", message: "node nodeA is silent" }
    expect(verdict(copy({ status: silent }))).toMatchObject({
      state: "nodeLost",
      level: "unknown",
      word: "Node lost",
    })
    const doubt = { phase: "Unknown", reason: "InDoubt", message: "cannot tell whether it runs: I/O error" }
    expect(verdict(copy({ status: doubt })).state).toBe("unknown")
  })

  it("was stopped with its agent", () => {
    const status = { phase: "Stopped", reason: "AgentStopped", message: "the node's agent was stopped" }
    expect(verdict(copy({ status }))).toMatchObject({ state: "agentStopped", level: "bad" })
  })
})

it("speaks for reasons that have no words yet", () => {
  const status = { phase: "Preparing", reason: "Brandnew", message: "something else" }
  expect(verdict(copy({ status })).says).toBe("Brandnew: something else")
})
