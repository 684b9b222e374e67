/** What the form can show. Everything else in a document is kept, and named. */

import type { Path } from "./paths"
import { isMapping } from "./values"

/** true: a field of the form. Under `*` any key or index. */
type Known = true | { readonly [key: string]: Known }

const PROBE: Known = {
  httpGet: { port: true, path: true, scheme: true },
  tcpSocket: { port: true },
  exec: { command: true },
  initialDelaySeconds: true,
  periodSeconds: true,
  timeoutSeconds: true,
  successThreshold: true,
  failureThreshold: true,
}

const ENTRY: Known = {
  name: true,
  app: { name: true, version: true },
  artifactUrl: true,
  sha256: true,
  startCmd: true,
  replicas: true,
  nodeReplicas: true,
  env: { "*": { name: true, value: true } },
  ports: { "*": { name: true, port: true } },
  services: { "*": { name: true, port: true, protocol: true, version: true } },
  labels: true,
  restartPolicy: true,
  terminationGracePeriodSeconds: true,
  stopSignal: true,
  dependsOn: true,
  probes: { startup: PROBE, readiness: PROBE, liveness: PROBE },
  logs: { maxSize: true, maxFiles: true },
}

const TASK: Known = {
  apiVersion: true,
  kind: true,
  metadata: { name: true, namespace: true, labels: true },
  spec: {
    state: true,
    entries: { "*": ENTRY },
    strategy: { maxUnavailable: true, maxSurge: true },
  },
}

/** The paths of the settings that the form does not show. */
export function unshownPaths(manifest: unknown): Path[] {
  const found: Path[] = []
  walk(manifest, TASK, [], found)
  return found
}

function walk(value: unknown, known: Known, path: Path, found: Path[]): void {
  if (known === true || value === null) return
  if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => step(item, known["*"], [...path, index], found))
  } else if (isMapping(value)) {
    for (const [key, item] of Object.entries(value)) {
      step(item, known[key] ?? known["*"], [...path, key], found)
    }
  }
}

function step(value: unknown, known: Known | undefined, path: Path, found: Path[]): void {
  if (known === undefined) found.push(path)
  else walk(value, known, path, found)
}
