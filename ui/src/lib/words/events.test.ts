import { describe, expect, it } from "vitest"
import { condition } from "./fixtures"
import { conditionWords, eventWords } from "./events"
import { said } from "./speaking"

describe("an event", () => {
  const words = (reason: string, message: string, type = "Normal") => {
    const { level, says } = eventWords({ reason, message, type })
    return [level, said(says)]
  }

  it.each([
    ["Started", "started on nodeA", "The process started on nodeA."],
    ["Created", "created 1 assignment", "1 instance was created."],
    ["Created", "created 3 assignments", "3 instances were created."],
    [
      "Killing",
      "asked to end by TERM, within 5 s (Stopped)",
      "The process was asked to end by SIGTERM, within 5 s.",
    ],
    ["BackOff", "starts again after 16 s", "The next start follows after 16 s."],
    [
      "Unhealthy",
      "liveness: GET http://127.0.0.1/: answered 500",
      "The liveness probe failed: http://127.0.0.1/ answered 500.",
    ],
    ["Failed", "exited with code 1", "It ended with code 1."],
    ["Failed", "ended by signal 11", "It crashed on a bad memory access (SIGSEGV, code 139)."],
    ["Exited", "exited with code 0", "The process ended well."],
    ["PortTaken", "no ready node has port 80, 81 free; add a node", "No ready node has port 80, 81 free."],
    ["Somebody", "else's word", "Somebody: else's word"],
  ])("of reason %s: %s", (reason, message, says) => {
    expect(words(reason, message)).toEqual(["ok", says])
    expect(words(reason, message, "Warning")[0]).toBe("warn")
  })
})

describe("a condition", () => {
  it.each([
    ["Available", "True", "EnoughReady", "ok", "Available"],
    ["Available", "False", "TooFewReady", "bad", "Not available"],
    ["Available", "False", "TaskStopped", "idle", "Not available"],
    ["Progressing", "True", "RollingOut", "busy", "Up to date or on its way"],
    ["Placed", "False", "Scheduling", "busy", "Not placed"],
    ["Placed", "False", "NoReadyNode", "bad", "Not placed"],
    ["Ready", "False", "ProbeFailed", "warn", "Not ready"],
    ["Ready", "False", "BackOff", "bad", "Not ready"],
    ["Ready", "Unknown", "NodeSilent", "unknown", "Readiness unknown"],
    ["Draining", "False", "Drained", "idle", "Not draining"],
    ["Draining", "True", "AgentDraining", "warn", "Draining"],
    ["NamespaceDeletionContentFailure", "True", "ContentDeletionFailed", "bad", "Deletion fails"],
    ["Custom", "False", "Because", "bad", "Custom: no"],
  ])("%s %s for %s", (type, status, reason, level, word) => {
    const words = conditionWords(condition(type, status, reason, "so it is"))
    expect([words.level, said(words.word)]).toEqual([level, word])
    expect(said(words.cause.says)).toBeTruthy()
    expect(words.cause.raw).toBe("so it is")
  })
})
