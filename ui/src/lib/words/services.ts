/** What is to be said of a service and of the addresses behind it. */
import type { EndpointLike, ServiceLike } from "./objects"
import { reasonCause } from "./reasons"
import { sentence, type Cause, type Level, type Sentence } from "./sentences"

export type ServiceState = "ready" | "partial" | "down" | "empty"

const LEVELS: Record<ServiceState, Level> = { ready: "ok", partial: "warn", down: "bad", empty: "idle" }

export interface ServiceVerdict {
  state: ServiceState
  level: Level
  word: Sentence
  /** "2 of 3 endpoints are healthy". */
  says: Sentence
  remedy?: Sentence
}

export function serviceVerdict(service: ServiceLike): ServiceVerdict {
  const { endpoints: count = 0, readyEndpoints: ready = 0 } = service.status ?? {}
  const state: ServiceState = !count ? "empty" : !ready ? "down" : ready < count ? "partial" : "ready"
  const verdict: ServiceVerdict = {
    state,
    level: LEVELS[state],
    word: sentence(`service.${state}`),
    says: sentence(`serviceSays.${state}`, { ready, count }),
  }
  if (state === "ready") return verdict
  const how = state !== "empty" ? "unhealthy" : hasSelector(service) ? "selector" : "derived"
  return { ...verdict, remedy: sentence(`serviceRemedy.${how}`) }
}

const hasSelector = (service: ServiceLike): boolean => Object.keys(service.spec?.selector ?? {}).length > 0

export interface EndpointVerdict {
  level: Level
  word: Sentence
  cause: Cause
}

/** Reasons for which an endpoint is out by somebody's will, or for a moment. */
const QUIET: ReadonlySet<string> = new Set(["InstanceStopped", "InstanceLeaving"])

export function endpointVerdict(endpoint: EndpointLike): EndpointVerdict {
  const { healthy = false, reason = "", lastSeen } = endpoint.status ?? {}
  const level: Level = healthy ? "ok" : QUIET.has(reason) ? "idle" : "bad"
  const cause = reasonCause(reason || "NotReady", "", lastSeen)
  return {
    level,
    word: sentence(healthy ? "endpoint.healthy" : "endpoint.unhealthy"),
    cause: healthy ? { ...cause, remedy: undefined } : cause,
  }
}
