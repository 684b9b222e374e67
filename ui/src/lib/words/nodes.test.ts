import { expect, it } from "vitest"
import { ago, condition, node, NOW } from "./fixtures"
import { nodeVerdict } from "./nodes"
import { endpointVerdict, serviceVerdict } from "./services"
import { said } from "./speaking"

it("a node is ready, cordoned, on its way out, or lost", () => {
  expect(nodeVerdict(node("n"), NOW)).toMatchObject({ state: "ready", level: "ok" })
  const cordoned = nodeVerdict({ ...node("n"), spec: { unschedulable: true } }, NOW)
  expect(cordoned).toMatchObject({ state: "cordoned", level: "warn", cause: { code: "Unschedulable" } })
  const conditions = [
    condition("Ready", "True", "AgentReady"),
    condition("Draining", "True", "AgentDraining"),
  ]
  expect(nodeVerdict({ ...node("n"), status: { conditions } }, NOW).state).toBe("draining")
  expect(nodeVerdict(node("n", "False", "AgentStopped"), NOW)).toMatchObject({
    state: "stopped",
    level: "idle",
  })
  const lost = nodeVerdict(node("n", "Unknown", "LeaseExpired"), NOW)
  expect(lost).toMatchObject({ state: "lost", level: "bad", cause: { since: ago(60) } })
  expect(said(lost.cause?.says)).toBe("The node's agent has not reported in time.")
  expect(nodeVerdict({ ...node("n"), metadata: { deletionTimestamp: ago(1) } }, NOW).state).toBe("deleting")
})

it("a node that has just registered is not lost yet", () => {
  expect(nodeVerdict({ metadata: { creationTimestamp: ago(3) } }, NOW).state).toBe("joining")
  expect(nodeVerdict({ metadata: { creationTimestamp: ago(60) } }, NOW).state).toBe("lost")
})

it("a service is as well as its endpoints", () => {
  const of = (endpoints: number, readyEndpoints: number) =>
    serviceVerdict({ status: { endpoints, readyEndpoints } })
  expect([of(3, 3), of(3, 1), of(2, 0), of(0, 0)].map(({ state }) => state)).toEqual([
    "ready",
    "partial",
    "down",
    "empty",
  ])
  expect(said(of(1, 1).says)).toBe("Its endpoint is healthy.")
  expect(said(of(3, 3).says)).toBe("All of its 3 endpoints are healthy.")
  expect(said(of(3, 1).says)).toBe("1 of 3 endpoints are healthy.")
  expect(said(of(2, 0).says)).toBe("None of its 2 endpoints is healthy.")
  expect(said(of(0, 0).remedy)).toContain("offers this service")
  expect(said(serviceVerdict({ spec: { selector: { a: "b" } } }).remedy)).toContain("selector")
})

it("an endpoint tells why it is not healthy", () => {
  const of = (healthy: boolean, reason: string) => endpointVerdict({ status: { healthy, reason } })
  expect(of(true, "Ready")).toMatchObject({ level: "ok", cause: { remedy: undefined } })
  expect(of(false, "InstanceStopped").level).toBe("idle")
  expect(said(of(false, "NotReady").cause.says)).toBe("Its instance runs but is not ready.")
  expect(said(of(false, "Expired").cause.remedy)).toContain("registered it")
})
