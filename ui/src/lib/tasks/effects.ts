/** What goes with it when instances end: where they run, and which services they answer for. Pure. */

import type { Assignment, Service } from "@/lib/api/types"
import { serviceName } from "@/lib/services/rows"

export interface Place {
  node: string
  count: number
}

/** Instances of which a process runs, or is about to. */
export function running(copies: readonly Assignment[]): Assignment[] {
  const ended: readonly string[] = ["Stopped", "Exited", "Failed"]
  return copies.filter(({ spec, status }) => spec.nodeName && !ended.includes(status?.phase ?? "Pending"))
}

/** How many there are on which node, most first. */
export function places(copies: readonly Assignment[]): Place[] {
  const counts = new Map<string, number>()
  for (const { spec } of copies) {
    if (spec.nodeName) counts.set(spec.nodeName, (counts.get(spec.nodeName) ?? 0) + 1)
  }
  return [...counts]
    .map(([node, count]) => ({ node, count }))
    .sort((one, other) => other.count - one.count || (one.node < other.node ? -1 : 1))
}

export interface Touched {
  service: Service
  name: string
  /** How many of its endpoints are these instances'. */
  lost: number
  /** How many others there are. */
  left: number
}

/** Services that lead to these instances: by what they offer, or by the services' selectors. */
export function touchedServices(copies: readonly Assignment[], services: readonly Service[]): Touched[] {
  const namespace = copies[0]?.metadata.namespace
  return services.flatMap((service) => {
    if (service.metadata.namespace !== namespace) return []
    const name = serviceName(service)
    const lost = copies.reduce((sum, copy) => sum + endpointsOf(copy, name, service), 0)
    const all = service.status?.endpoints ?? 0
    return lost ? [{ service, name, lost, left: Math.max(0, all - lost) }] : []
  })
}

function endpointsOf(copy: Assignment, name: string, service: Service): number {
  const selector = Object.entries(service.spec?.selector ?? {})
  const labels = copy.metadata.labels ?? {}
  if (selector.length) {
    return selector.every(([key, value]) => labels[key] === value) ? (service.spec?.ports?.length ?? 0) : 0
  }
  const offers = copy.status?.services ?? []
  const declared = copy.spec.template.services ?? []
  return Math.max(
    offers.filter((offer) => offer.name === name).length,
    declared.filter((offer) => offer.name === name).length,
  )
}
