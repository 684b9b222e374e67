/** What follows from a manifest before anything runs: copies, names, environment, services. */

import { DEFAULT_NAMESPACE } from "@/lib/addresses"
import type { App } from "@/lib/api/types"
import { newestUpload } from "./apps"
import { nameOf, namespaceOf } from "./manifest"
import { portVariable } from "./names"
import { at, integerOf, itemsOf, mappingOf, textOf, type Mapping } from "./values"

export interface DerivedService {
  name: string
  /** A number or the name of a port. */
  port: string
  protocol: string
  /** Whether the app's `meta.ini` says so, and not the entry. */
  fromApp: boolean
}

export interface DerivedEntry {
  name: string
  /** What runs, as people call it: `shop 2.1.0`, or the end of the address. */
  what: string
  /** By node; none: the scheduler places `copies`. */
  nodes: { node: string; count: number }[]
  copies: number
  command: string
  instance: string
  variables: { name: string; value: string | undefined }[]
  services: DerivedService[]
  labels: Record<string, string>
}

export interface Derived {
  isStopped: boolean
  copies: number
  entries: DerivedEntry[]
}

export function derive(manifest: unknown, apps: readonly App[]): Derived {
  const entries = itemsOf(at(manifest, ["spec", "entries"])).map((entry, index) =>
    deriveEntry(manifest, entry, index, apps),
  )
  return {
    isStopped: at(manifest, ["spec", "state"]) === "Stopped",
    copies: entries.reduce((sum, { copies }) => sum + copies, 0),
    entries,
  }
}

/** The name an entry has, or gets when it is stored. */
export function entryName(entry: Mapping, index: number): string {
  return textOf(entry["name"]) || (index ? `main-${index + 1}` : "main")
}

function deriveEntry(manifest: unknown, entry: Mapping, index: number, apps: readonly App[]): DerivedEntry {
  const task = nameOf(manifest)
  const namespace = namespaceOf(manifest)
  const name = entryName(entry, index)
  const appName = textOf(at(entry, ["app", "name"]))
  const appVersion = textOf(at(entry, ["app", "version"]))
  const address = textOf(entry["artifactUrl"])
  const nodes = Object.entries(mappingOf(entry["nodeReplicas"])).map(([node, count]) => ({
    node,
    count: integerOf(count) ?? 0,
  }))
  const instance = `${task || "…"}-${name}-…`
  const ports = itemsOf(entry["ports"]).filter((port) => textOf(port["name"]))
  const known: Record<string, string | undefined> = {
    PLUM_TASK: task,
    PLUM_ENTRY: name,
    PLUM_NAMESPACE: namespace,
    PLUM_INSTANCE_ID: namespace === DEFAULT_NAMESPACE ? instance : `${namespace}.${instance}`,
    PLUM_NODE: nodes.length === 1 ? nodes[0]?.node : undefined,
    PLUM_APP_NAME: appName,
    PLUM_APP_VERSION: appVersion,
    PLUM_API: undefined,
    PLUM_DATA: undefined,
  }
  return {
    name,
    what: appName ? `${appName} ${appVersion}`.trim() : (address.split("/").at(-1) ?? ""),
    nodes,
    copies: nodes.length
      ? nodes.reduce((sum, { count }) => sum + count, 0)
      : (integerOf(entry["replicas"]) ?? 1),
    command: textOf(entry["startCmd"]) || "./start.sh",
    instance,
    variables: [
      ...Object.entries(known).map(([key, value]) => ({ name: key, value })),
      ...ports.map((port) => ({
        name: portVariable(textOf(port["name"])),
        value: textOf(port["port"]) || undefined,
      })),
    ],
    services: servicesOf(entry, newestUpload(apps, appName, appVersion, namespace)),
    labels: {
      ...(task ? { "plum.dev/task": task } : {}),
      "plum.dev/entry": name,
      ...Object.fromEntries(
        Object.entries(mappingOf(entry["labels"])).map(([key, value]) => [key, textOf(value)]),
      ),
    },
  }
}

function servicesOf(entry: Mapping, app: App | undefined): DerivedService[] {
  const own = itemsOf(entry["services"])
    .filter((service) => textOf(service["name"]))
    .map((service) => ({
      name: textOf(service["name"]),
      port: textOf(service["port"]),
      protocol: textOf(service["protocol"]) || "tcp",
      fromApp: false,
    }))
  const names = new Set(own.map(({ name }) => name))
  const declared = (app?.spec.services ?? [])
    .filter(({ name }) => !names.has(name))
    .map(({ name, port, protocol }) => ({ name, port: String(port), protocol, fromApp: true }))
  return [...own, ...declared]
}
