/** Causes of several copies put together: one line a cause, with how many copies it is of. */
import type { Cause } from "./sentences"

export interface SharedCause extends Cause {
  /** How many copies it is of; 0 where it is of the task as a whole. */
  count: number
  /** Names of those copies, at most a few. */
  instances: string[]
}

const NAMED = 20

/** The codes that explain most come first: what cannot begin, what fails, what is lost, what only waits. */
const ORDER: readonly (readonly string[])[] = [
  ["ArtifactMissing"],
  ["ArtifactNotFound", "ArtifactRefused", "ArtifactCorrupt", "ArtifactInvalid", "DiskFull"],
  ["ArtifactUnavailable", "UnpackFailed", "PrepareFailed"],
  ["NoSuchNode", "NoReadyNode", "PortTaken", "NeedsPlumAgent"],
  ["CrashLoop", "StartFailed"],
  ["Failed", "Unhealthy"],
  ["NodeSilent", "LeaseExpired", "AgentStopped", "InDoubt"],
  ["ProbeFailed", "NotReady", "NotReported"],
  ["Restarted"],
]

const RANKS = new Map(ORDER.flatMap((codes, rank) => codes.map((code) => [code, rank] as const)))

const rank = (cause: Cause): number => RANKS.get(cause.code) ?? ORDER.length

export class Causes {
  private readonly found = new Map<string, SharedCause>()

  /** One more copy with that cause; without an instance the cause is of the task. */
  add(cause: Cause, instance?: string): void {
    const key = JSON.stringify([cause.code, cause.says.key, withoutPorts(cause.says.params)])
    const known = this.found.get(key) ?? { ...cause, count: 0, instances: [] }
    this.found.set(key, known)
    if (cause.since && (!known.since || cause.since < known.since)) known.since = cause.since
    if (instance === undefined) return
    known.count += 1
    if (known.instances.length < NAMED) known.instances.push(instance)
  }

  /** Most telling first. */
  sorted(): SharedCause[] {
    return [...this.found.values()].sort((a, b) => rank(a) - rank(b) || b.count - a.count)
  }
}

/** Copies have ports of their own: what is the same but for those is one cause. */
function withoutPorts(params: Cause["says"]["params"] = {}): [string, string | number][] {
  return Object.entries(params).map(([name, value]) => {
    return [name, typeof value === "string" ? value.replace(/:\d+(?=\/|$)/g, ":") : value]
  })
}
