import { expect, it } from "vitest"
import type { Node, PlumEvent } from "@/lib/api/types"
import { matches } from "@/composables/facets"
import { copy, entry, task } from "./fixtures"
import { eventsOf } from "./happenings"
import { instanceRows, tiles } from "./instances"
import { expected } from "./pending"
import { appOf, appsOf, lastChange, searched, TaskRows } from "./rows"

const NOW = Date.parse("2026-03-01T12:00:00Z")
const NODES: ReadonlyMap<string, Node> = new Map()

it("names what entries run, each once", () => {
  const url = appOf(entry({ app: undefined, artifactUrl: "http://x/artifacts/web_1.zip?y=1" }))
  expect(url).toEqual({ name: "web_1.zip", version: "", isUrl: true })
  expect(appsOf(task([entry(), entry({ name: "b" })]))).toEqual([
    { name: "web", version: "1.0.0", isUrl: false },
  ])
})

it("keeps the row of a task that did not change", () => {
  const judge = new TaskRows()
  const [one, other] = [task(), { ...task(), metadata: { ...task().metadata, name: "api" } }]
  const copies = [copy("a"), copy("b", { spec: { taskName: "api" } })]
  const before = judge.rows([one, other], copies, NODES, NOW)
  const changed = copy("b", { spec: { taskName: "api" }, status: { phase: "BackOff" } })
  const after = judge.rows([one, other], [copies[0] ?? changed, changed], NODES, NOW)
  expect(after[0]).toBe(before[0])
  expect(after[1]).not.toBe(before[1])
  expect(judge.rows([one], copies, NODES, NOW + 5000)[0]).not.toBe(before[0])
})

it("knows the last change by conditions and copies", () => {
  const late = copy("a", { metadata: { creationTimestamp: "2026-03-01T11:40:00Z" } })
  expect(lastChange(task(), [copy("b"), late])).toBe("2026-03-01T11:40:00Z")
})

it("is found by name, label, app and entry", () => {
  const web = task([entry({ name: "jobs" })])
  web.metadata.labels = { team: "sales" }
  const [row] = new TaskRows().rows([web], [], NODES, NOW)
  if (!row) throw new Error()
  expect(
    ["web", "sales", "team=sales", "1.0.0 web", "jobs"].every((text) => matches(text, ...searched(row))),
  ).toBe(true)
  expect(matches("billing", ...searched(row))).toBe(false)
})

it("shows what was asked for until the objects tell something new", () => {
  const [row] = new TaskRows().rows([task([entry({ replicas: 1 })])], [copy("a")], NODES, NOW)
  if (!row) throw new Error()
  expect(row.verdict.state).toBe("healthy")
  expect(expected(row.verdict, "stop", "healthy")).toMatchObject({ state: "stopping", level: "busy" })
  expect(expected(row.verdict, "stop", "degraded")).toBe(row.verdict)
})

it("lays instances out by node and entry", () => {
  const copies = [
    copy("web-main-aaaaaaaa", { spec: { ordinal: 1 } }),
    copy("web-main-bbbbbbbb"),
    copy("web-jobs-cccccccc", { spec: { entry: "jobs" } }),
    copy("web-main-dddddddd", { spec: { nodeName: "" }, status: { phase: "Pending", conditions: [] } }),
  ]
  const rows = instanceRows(copies, NODES, NOW)
  const found = tiles(rows, ["jobs", "main"], NODES, NOW)
  expect(found.map(({ node, count }) => [node, count])).toEqual([
    ["", 1],
    ["nodeA", 3],
  ])
  expect(
    found[1]?.entries.map(({ entry: name, rows: own }) => [name, own.map(({ suffix }) => suffix)]),
  ).toEqual([
    ["jobs", ["cccccccc"]],
    ["main", ["bbbbbbbb", "aaaaaaaa"]],
  ])
})

it("collects the events of a task and its instances, also of those that are gone", () => {
  const event = (kind: string, name: string, lastTimestamp: string, namespace = "default"): PlumEvent => ({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace, uid: name, resourceVersion: "1", creationTimestamp: lastTimestamp },
    involvedObject: { kind, name, namespace },
    message: "",
    type: "Normal",
    lastTimestamp,
  })
  const events = [
    event("Task", "web", "2026-03-01T11:00:00Z"),
    event("Assignment", "web-main-gone2345", "2026-03-01T11:02:00Z"),
    event("Assignment", "web-blue-main-gone2345", "2026-03-01T11:03:00Z"),
    event("Assignment", "web-main-gone2345", "2026-03-01T11:04:00Z", "elsewhere"),
    event("Node", "web", "2026-03-01T11:05:00Z"),
  ]
  const found = eventsOf(task(), [], events)
  expect(found.map(({ name }) => name)).toEqual(["web-main-gone2345", "web"])
})
