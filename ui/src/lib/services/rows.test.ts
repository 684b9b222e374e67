import { expect, it } from "vitest"
import type { Endpoint, Service } from "@/lib/api/types"
import { endpointsByService, findService, isDerived, isKept, keyOfService, offered, valuesOf } from "./rows"

function endpoint(port: number, protocol: string, more: Partial<Endpoint["spec"]> = {}): Endpoint {
  return {
    metadata: { name: `e-${port}`, namespace: "default" },
    spec: { service: "Order Service", ip: "10.0.0.1", port, protocol, ...more },
  } as Endpoint
}

const service = {
  metadata: {
    name: "order-service-1a2b",
    namespace: "default",
    annotations: { "plum.dev/name": "Order Service" },
  },
} as unknown as Service

it("finds the endpoints of a service by the name that clients use", () => {
  const found = endpointsByService([endpoint(80, "http"), endpoint(81, "http", { service: "other" })])
  expect(found.get(keyOfService(service))).toHaveLength(1)
})

it("finds a service by its own name before the one that clients use, in its namespace alone", () => {
  const other = { metadata: { name: "Order Service", namespace: "default" } } as Service
  const find = (name: string, namespace = "default") => findService([service, other], { name, namespace })
  expect(find("order-service-1a2b")).toBe(service)
  expect(find("Order Service")).toBe(other)
  expect(findService([service], { name: "Order Service", namespace: "default" })).toBe(service)
  expect(find("order-service-1a2b", "team")).toBeUndefined()
})

it("says what is spoken where", () => {
  expect(
    offered([endpoint(80, "http"), endpoint(80, "http"), endpoint(1, "grpc"), endpoint(2, "grpc")]),
  ).toEqual(["http 80", "grpc"])
  expect(offered([])).toEqual([])
})

it("collects versions and protocols", () => {
  const all = [
    endpoint(1, "http", { version: "2" }),
    endpoint(2, "tcp"),
    endpoint(3, "http", { version: "1" }),
  ]
  expect(valuesOf(all, "version")).toEqual(["1", "2"])
  expect(valuesOf(all, "protocol")).toEqual(["http", "tcp"])
})

it("knows what others keep", () => {
  expect(isDerived(service)).toBe(false)
  const kept = endpoint(1, "http")
  expect(isKept(kept)).toBe(false)
  kept.metadata.labels = { "plum.dev/managed-by": "plum-endpoints-controller" }
  expect(isKept(kept)).toBe(true)
})
