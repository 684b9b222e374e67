/** Services and the endpoints behind them, as pages show them. Pure. */

import type { Reference } from "@/lib/addresses"
import { SERVICE_NAME } from "@/lib/api/annotations"
import type { Endpoint, Service } from "@/lib/api/types"
import { grouped } from "@/lib/groups"

const DERIVED = "plum.dev/derived"
const MANAGED_BY = "plum.dev/managed-by"
const CONTROLLER = "plum-endpoints-controller"

/** The name by which clients ask for it. */
export function serviceName({ metadata }: Service): string {
  return metadata.annotations?.[SERVICE_NAME] ?? metadata.name
}

/** By its own name, else by the one that clients use. */
export function findService(
  services: readonly Service[],
  { name, namespace }: Reference,
): Service | undefined {
  const there = services.filter(({ metadata }) => metadata.namespace === namespace)
  return (
    there.find(({ metadata }) => metadata.name === name) ?? there.find((one) => serviceName(one) === name)
  )
}

/** Whether it is there because endpoints name it, and goes with the last of them. */
export function isDerived({ metadata }: Service): boolean {
  return metadata.annotations?.[DERIVED] !== undefined
}

/** Whether the controller keeps it, for an instance; else somebody registered it. */
export function isKept({ metadata }: Endpoint): boolean {
  return metadata.labels?.[MANAGED_BY] === CONTROLLER
}

/** What endpoints of each service there are, by `namespace/name`, the name being the one that clients use. */
export function endpointsByService(endpoints: readonly Endpoint[]): Map<string, Endpoint[]> {
  return grouped(endpoints, ({ metadata, spec }) => `${metadata.namespace ?? ""}/${spec.service}`)
}

export function keyOfService(service: Service): string {
  return `${service.metadata.namespace ?? ""}/${serviceName(service)}`
}

/** What is spoken where, most common first: `http 8080`; many numbers of one protocol are the protocol alone. */
export function offered(endpoints: readonly Endpoint[]): string[] {
  const ports = new Map<string, Set<number>>()
  for (const { spec } of endpoints) {
    const protocol = spec.protocol || "tcp"
    const known = ports.get(protocol)
    if (known) known.add(spec.port)
    else ports.set(protocol, new Set([spec.port]))
  }
  return [...ports].map(([protocol, numbers]) => {
    const [only] = numbers
    return numbers.size === 1 && only !== undefined ? `${protocol} ${only}` : protocol
  })
}

/** The different values of a field, for a choice. */
export function valuesOf(endpoints: readonly Endpoint[], field: "version" | "protocol"): string[] {
  return [...new Set(endpoints.map(({ spec }) => spec[field] ?? "").filter(Boolean))].sort()
}
