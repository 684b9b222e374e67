import { describe, expect, it } from "vitest"
import { contrary, countsOf, onNode, respecPatch, scalePatch, total } from "./actions"
import { copy, entry, task } from "./fixtures"

const names = (copies: readonly { metadata: { name: string } }[]) =>
  copies.map(({ metadata }) => metadata.name)

describe("who is told", () => {
  const stopped = copy("b", { spec: { desired: "Stopped", nodeName: "nodeB" } })
  const leaving = copy("c", { metadata: { deletionTimestamp: "2026-03-01T11:00:00Z" } })
  const copies = [copy("a"), stopped, leaving]

  it("leaves instances to the controller when the task's state changes", () => {
    expect(contrary(task(), copies, "Stopped")).toEqual([])
  })

  it("tells those that somebody set otherwise when the task is in that state already", () => {
    expect(names(contrary(task(), copies, "Running"))).toEqual(["b"])
    expect(names(contrary(task([entry()], "Stopped"), copies, "Stopped"))).toEqual(["a"])
  })

  it("tells those of one node that are otherwise", () => {
    expect(names(onNode(copies, "nodeA", "Stopped"))).toEqual(["a"])
    expect(names(onNode(copies, "nodeB", "Stopped"))).toEqual([])
    expect(names(onNode(copies, "nodeB", "Running"))).toEqual(["b"])
  })
})

describe("scaling", () => {
  const web = task([
    entry({ name: "api", replicas: 2 }),
    entry({ name: "jobs" }),
    entry({ name: "edge", nodeReplicas: { "node.a": 1, nodeB: 2 } }),
  ])

  it("reads counts as entries have them", () => {
    expect(web.spec.entries.map(countsOf).map(total)).toEqual([2, 1, 3])
    expect(countsOf(entry({ nodeReplicas: {} }))).toEqual({ replicas: 1 })
  })

  it("changes one entry, if it is still in its place", () => {
    expect(scalePatch(web, { api: { replicas: 2 }, jobs: { replicas: 0 } })).toEqual([
      { op: "test", path: "/spec/entries/1/name", value: "jobs" },
      { op: "add", path: "/spec/entries/1/replicas", value: 0 },
    ])
  })

  it("keeps a node with none, as an empty map would mean one copy anywhere", () => {
    expect(scalePatch(web, { edge: { nodes: { "node.a": 0, nodeB: 0, nodeC: 1 } } })).toEqual([
      { op: "test", path: "/spec/entries/2/name", value: "edge" },
      { op: "add", path: "/spec/entries/2/nodeReplicas", value: { "node.a": 0, nodeB: 0, nodeC: 1 } },
    ])
  })

  it("writes nothing when nothing changes", () => {
    expect(scalePatch(web, { edge: { nodes: { nodeB: 2, "node.a": 1 } }, gone: { replicas: 3 } })).toEqual([])
  })
})

it("replaces a spec only of the task that was read", () => {
  expect(respecPatch(task(), { entries: [] })).toEqual([
    { op: "test", path: "/metadata/resourceVersion", value: "7" },
    { op: "replace", path: "/spec", value: { entries: [] } },
  ])
})
