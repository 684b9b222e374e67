import { expect, it } from "vitest"
import type { Service } from "@/lib/api/types"
import { places, running, touchedServices } from "./effects"
import { copy } from "./fixtures"

function service(
  name: string,
  endpoints: number,
  spec: Service["spec"] = {},
  metadata: Partial<Service["metadata"]> = {},
): Service {
  return {
    apiVersion: "plum.dev/v1",
    kind: "Service",
    metadata: {
      name,
      namespace: "default",
      uid: name,
      resourceVersion: "1",
      creationTimestamp: "2026-03-01T11:00:00Z",
      ...metadata,
    },
    spec,
    status: { endpoints, readyEndpoints: endpoints },
  }
}

it("counts what runs by node, most first", () => {
  const copies = [
    copy("a"),
    copy("b", { spec: { nodeName: "nodeB" } }),
    copy("c", { spec: { nodeName: "nodeB" }, status: { phase: "BackOff" } }),
    copy("d", { status: { phase: "Exited" } }),
    copy("e", { spec: { nodeName: "" }, status: { phase: "Pending" } }),
  ]
  expect(places(running(copies))).toEqual([
    { node: "nodeB", count: 2 },
    { node: "nodeA", count: 1 },
  ])
})

it("finds the services that lose endpoints, by name and by selector", () => {
  const offers = [{ name: "Order Service", port: 80, protocol: "http" }]
  const copies = [
    copy("a", { status: { services: offers }, metadata: { labels: { tier: "web" } } }),
    copy("b", { status: { services: offers } }),
  ]
  const services = [
    service("order-1a2b", 5, {}, { annotations: { "plum.dev/name": "Order Service" } }),
    service("shop", 1, { selector: { tier: "web" }, ports: [{ port: "http", protocol: "http" }] }),
    service("other", 3),
    service("Order Service", 9, {}, { namespace: "elsewhere" }),
  ]
  expect(touchedServices(copies, services).map(({ name, lost, left }) => [name, lost, left])).toEqual([
    ["Order Service", 2, 3],
    ["shop", 1, 0],
  ])
})
