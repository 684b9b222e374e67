import { describe, expect, expectTypeOf, it } from "vitest"
import type { Event } from "../api/core.gen"
import type { Assignment, Endpoint, Node, Service, Task } from "../api/plum.gen"
import { copy, task } from "./fixtures"
import {
  desiredCopies,
  isCompleted,
  isReady,
  type AssignmentLike,
  type EndpointLike,
  type EventLike,
  type NodeLike,
  type ServiceLike,
  type TaskLike,
} from "./objects"

describe("the shapes that the words ask for", () => {
  it("are those of the API's own types", () => {
    expectTypeOf<Assignment>().toExtend<AssignmentLike>()
    expectTypeOf<Task>().toExtend<TaskLike>()
    expectTypeOf<Node>().toExtend<NodeLike>()
    expectTypeOf<Service>().toExtend<ServiceLike>()
    expectTypeOf<Endpoint>().toExtend<EndpointLike>()
    expectTypeOf<Event>().toExtend<EventLike>()
  })
})

describe("what counts", () => {
  it("is the entries' own numbers, and one where there is none", () => {
    const entries = [{ replicas: 3 }, { nodeReplicas: { nodeA: 2, nodeB: 0 } }, {}]
    expect(desiredCopies(task(1, { spec: { entries } }))).toBe(6)
  })

  it("is a copy that is wanted, known and ready", () => {
    expect(isReady(copy())).toBe(true)
    expect(isReady(copy({ spec: { desired: "Stopped" } }))).toBe(false)
    expect(isReady(copy({ status: { ...copy().status, phase: "Unknown" } }))).toBe(false)
    expect(isReady(copy({ meta: { deletionTimestamp: "2026-01-01T00:00:00Z" } }))).toBe(false)
    expect(isCompleted(copy({ status: { phase: "Exited" } }))).toBe(false)
  })
})
