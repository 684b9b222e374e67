import { describe, expect, it } from "vitest"
import { joined, toldChanges, valueText, wordOf } from "./changes"
import { change } from "./fixtures"
import { whoOf } from "./who"

describe("the word for a change", () => {
  it.each([
    ["created", change([], { type: "ADDED" })],
    ["deleted", change([], { type: "DELETED" })],
    ["unknown", change([], { truncated: true })],
    ["leaving", change([{ path: "metadata.deletionTimestamp", to: "2026" }])],
    ["status", change([{ path: "status.readyReplicas", from: 1, to: 2 }])],
    ["stopped", change([{ path: "spec.state", from: "Running", to: "Stopped" }])],
    ["started", change([{ path: "spec.state", from: "Stopped", to: "Running" }])],
    ["restarted", change([{ path: "metadata.annotations[plum.dev/restartedAt]", to: "2026" }])],
    ["restarted", change([{ path: "metadata.annotations.plum.dev/restartedAt", to: "2026" }])],
    ["scaled", change([{ path: "spec.entries[main].replicas", from: 1, to: 2 }])],
    ["scaled", change([{ path: "spec.entries[main].nodeReplicas.nodeA", from: 1, to: 2 }])],
    ["app", change([{ path: "spec.entries[main].app.version", from: "1", to: "2" }])],
    ["labels", change([{ path: "metadata.labels.team", from: "a", to: "b" }])],
    ["spec", change([{ path: "spec.entries[main].startCmd", from: "a", to: "b" }])],
  ])("is %s", (word, item) => {
    expect(wordOf(item)).toBe(word)
  })
})

it("tells of the status only where nothing else changed", () => {
  const status = { path: "status.replicas", from: 1, to: 2 }
  const count = { path: "spec.entries[main].replicas", from: 1, to: 2 }
  expect(toldChanges(change([status, count]))).toEqual([count])
  expect(toldChanges(change([status]))).toEqual([status])
})

it("writes values on one line", () => {
  expect([valueText("a b"), valueText(3), valueText({ a: [1] }), valueText(undefined)]).toEqual([
    "a b",
    "3",
    '{"a":[1]}',
    "",
  ])
})

it("joins pages that overlap, newest first", () => {
  const [one, two, ten] = ["1", "2", "10"].map((version) => change([], { version }))
  if (!one || !two || !ten) throw new Error()
  expect(joined([two, one], [ten, two]).map(({ version }) => version)).toEqual(["10", "2", "1"])
})

it("says who by the user that is known, and the program", () => {
  expect(whoOf({ user: "system:anonymous", manager: "plum-ui" })?.key).toBe("tasks.who.ui")
  expect(whoOf({ user: "ann", manager: "plumctl" })).toEqual({
    key: "tasks.who.plumctlBy",
    params: { user: "ann" },
  })
  expect(whoOf({ user: "ann", manager: "x" })?.key).toBe("tasks.who.userBy")
  expect(whoOf({ user: "", manager: "x" })?.key).toBe("tasks.who.manager")
  expect(whoOf({ user: "system:anonymous", manager: "" })).toBeUndefined()
})
