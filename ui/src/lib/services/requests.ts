/** How a service is looked up over HTTP and on the command line. Pure. */

import { DEFAULT_NAMESPACE } from "@/lib/addresses"

export type Strategy = "random" | "round_robin" | "hash"
export const STRATEGIES: readonly Strategy[] = ["random", "round_robin", "hash"]

export interface Question {
  service: string
  namespace: string
  strategy: Strategy
  hashKey: string
  version: string
  protocol: string
}

/** One address of a service, as `/v1/resolve` answers. */
export interface Answer {
  serviceName: string
  instanceId: string
  nodeId: string
  ip: string
  port: number
  protocol: string
  version: string
}

/** The path of a request that chooses one endpoint. What says nothing is left out. */
export function resolvePath({ service, namespace, strategy, hashKey, version, protocol }: Question): string {
  const query = new URLSearchParams({ service })
  if (namespace !== DEFAULT_NAMESPACE) query.set("namespace", namespace)
  if (strategy !== "random") query.set("strategy", strategy)
  if (strategy === "hash") query.set("hashKey", hashKey)
  if (version) query.set("version", version)
  if (protocol) query.set("protocol", protocol)
  return `/v1/resolve?${query}`
}

/** The path of a request that lists the healthy endpoints. */
export function discoveryPath(service: string, namespace: string): string {
  const query = new URLSearchParams({ service })
  if (namespace !== DEFAULT_NAMESPACE) query.set("namespace", namespace)
  return `/v1/discovery?${query}`
}

/** A text as one word of a shell's command. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

export function curl(address: string, withToken: boolean): string {
  const header = withToken ? '-H "Authorization: Bearer $PLUM_TOKEN" ' : ""
  return `curl -s ${header}${quoted(address)}`
}

/** A value of a field selector, in which some characters mean something. */
function selectorValue(text: string): string {
  return text.replace(/[\\,=]/g, "\\$&")
}

export function endpointsCommand(service: string, namespace: string): string {
  const where = namespace === DEFAULT_NAMESPACE ? "" : ` -n ${quoted(namespace)}`
  return `plumctl get endpoints${where} --field-selector ${quoted(`spec.service=${selectorValue(service)}`)}`
}

/** An address with its port; IPv6 in brackets. */
export function hostPort(ip: string, port: number): string {
  return `${ip.includes(":") ? `[${ip}]` : ip}:${port}`
}
