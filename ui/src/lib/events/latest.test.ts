import { describe, expect, it } from "vitest"
import { latestByObject } from "./latest"
import type { EventRow } from "./rows"

const event = (key: string, object: Pick<EventRow, "kind" | "namespace" | "name">) =>
  ({ key, ...object }) as EventRow

describe("the newest event of each object", () => {
  it("keeps the order, and counts what is older", () => {
    const one = { kind: "Assignment", namespace: "default", name: "web-1" }
    const other = { kind: "Assignment", namespace: "default", name: "web-2" }
    const found = latestByObject([event("a", one), event("b", other), event("c", one), event("d", one)])
    expect(found.map(({ row: { key }, older }) => [key, older])).toEqual([
      ["a", 2],
      ["b", 0],
    ])
  })

  it("tells apart what only shares its name", () => {
    const names = [
      { kind: "Task", namespace: "default", name: "web" },
      { kind: "Task", namespace: "team", name: "web" },
      { kind: "Service", namespace: "default", name: "web" },
    ]
    expect(latestByObject(names.map((name, index) => event(String(index), name)))).toHaveLength(3)
  })

  it("is nothing of nothing", () => {
    expect(latestByObject([])).toEqual([])
  })
})
