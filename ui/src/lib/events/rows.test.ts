import { describe, expect, it } from "vitest"
import type { PlumEvent } from "@/lib/api/types"
import { eventRow, newestFirst, newSince, rowsAbout } from "./rows"

function event(name: string, more: Partial<PlumEvent> = {}): PlumEvent {
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: {
      name,
      namespace: "default",
      uid: name,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    involvedObject: { kind: "Task", namespace: "default", name: "shop" },
    reason: "Created",
    message: "created 2 assignments",
    type: "Normal",
    ...more,
  }
}

describe("eventRow", () => {
  it("takes the latest time that the event tells, and its count", () => {
    const row = eventRow(
      event("a", {
        count: 7,
        firstTimestamp: "2026-01-01T00:00:00Z",
        lastTimestamp: "2026-01-01T00:05:00Z",
      }),
    )
    expect(row).toMatchObject({ count: 7, first: "2026-01-01T00:00:00Z", last: "2026-01-01T00:05:00Z" })
  })

  it("reads series, as newer reporters write them", () => {
    const row = eventRow(
      event("a", {
        eventTime: "2026-01-01T00:01:00.5Z",
        series: { count: 3, lastObservedTime: "2026-01-01T00:09:00Z" },
      }),
    )
    expect(row).toMatchObject({ count: 3, first: "2026-01-01T00:01:00.5Z", last: "2026-01-01T00:09:00Z" })
  })

  it("falls back to when the event was made", () => {
    expect(eventRow(event("a"))).toMatchObject({ count: 1, last: "2026-01-01T00:00:00Z" })
  })

  it("makes one row an event", () => {
    const one = event("a")
    expect(eventRow(one)).toBe(eventRow(one))
  })
})

describe("rowsAbout", () => {
  it("finds those of the object, newest first", () => {
    const found = rowsAbout(
      [
        event("a", { lastTimestamp: "2026-01-01T00:01:00Z" }),
        event("b", { lastTimestamp: "2026-01-01T00:03:00Z" }),
        event("c", { involvedObject: { kind: "Task", namespace: "other", name: "shop" } }),
        event("d", { involvedObject: { kind: "Node", name: "shop" } }),
      ],
      { kind: "Task", name: "shop", namespace: "default" },
    )
    expect(found.map(({ key }) => key)).toEqual(["default/b", "default/a"])
  })

  it("finds those of an object without a namespace", () => {
    const about = event("d", { involvedObject: { kind: "Node", name: "n1" } })
    expect(rowsAbout([about], { kind: "Node", name: "n1" })).toHaveLength(1)
  })
})

it("orders equal times by name", () => {
  const [one, other] = [eventRow(event("a")), eventRow(event("b"))]
  expect([other, one].sort(newestFirst)).toEqual([one, other])
})

it("counts what came since", () => {
  const [one, other] = [event("a"), event("b")]
  expect(newSince([one], [one, other])).toBe(1)
  expect(newSince([one, other], [other])).toBe(0)
})
