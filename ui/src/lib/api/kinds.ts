/** The kinds the UI knows, by the plural names that addresses use. */

export interface KindInfo {
  readonly plural: Plural
  readonly kind: string
  readonly root: string
  readonly namespaced: boolean
}

export type Plural =
  "tasks" | "assignments" | "nodes" | "apps" | "services" | "endpoints" | "events" | "namespaces"

const PLUM = "/apis/plum.dev/v1"
const CORE = "/api/v1"

export const KINDS: Readonly<Record<Plural, KindInfo>> = {
  tasks: { plural: "tasks", kind: "Task", root: PLUM, namespaced: true },
  assignments: { plural: "assignments", kind: "Assignment", root: PLUM, namespaced: true },
  nodes: { plural: "nodes", kind: "Node", root: PLUM, namespaced: false },
  apps: { plural: "apps", kind: "App", root: PLUM, namespaced: true },
  services: { plural: "services", kind: "Service", root: PLUM, namespaced: true },
  endpoints: { plural: "endpoints", kind: "Endpoint", root: PLUM, namespaced: true },
  events: { plural: "events", kind: "Event", root: CORE, namespaced: true },
  namespaces: { plural: "namespaces", kind: "Namespace", root: CORE, namespaced: false },
}

const BY_KIND = new Map(Object.values(KINDS).map((info) => [info.kind, info]))

/** The plural of a kind as objects say it; undefined for one the UI does not know. */
export function pluralOf(kind: string): Plural | undefined {
  return BY_KIND.get(kind)?.plural
}

/** The address of a collection, of all namespaces unless one is named. */
export function collectionPath(plural: Plural, namespace?: string): string {
  const { root, namespaced } = KINDS[plural]
  return namespaced && namespace
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`
    : `${root}/${plural}`
}

/** The address of an object, or of what lies below it (`subresource`: status, scale, log, history, …). */
export function objectPath(plural: Plural, name: string, namespace?: string, subresource?: string): string {
  const path = `${collectionPath(plural, namespace)}/${encodeURIComponent(name)}`
  return subresource ? `${path}/${subresource}` : path
}
