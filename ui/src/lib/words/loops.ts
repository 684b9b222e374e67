/**
 * Whether a copy that looks as if it ran keeps ending. Between two crashes an instance is Running, for a moment or for
 * a minute: what tells is that it was started again, and how short a while ago its last run ended after how short a run.
 */
import { RESTARTED_AT } from "../api/annotations"
import type { AssignmentLike } from "./objects"
import { exitOf, signalNumber } from "./exits"

/** After a run as long as this the agent forgives earlier ends, and so do we. */
const STABLE_MS = 600_000

/** What an agent may take beyond the grace period to stop and start again a process that people asked to restart. */
const RESTART_MS = 30_000

type Loop = "crashLoop" | "restarted" | undefined

/** crashLoop: it ended again and again. restarted: it ended by itself, and runs again. */
export function loopOf(copy: AssignmentLike, now: number): Loop {
  const status = copy.status
  if (!status?.restarts || !status.finishedAt || !wasOwnDoing(copy)) return undefined
  const ended = Date.parse(status.finishedAt)
  if (!(now - ended < STABLE_MS)) return undefined
  const began = Date.parse(status.previousStartedAt ?? "")
  const wasShort = !(ended - began >= STABLE_MS)
  return status.restarts >= 2 && wasShort ? "crashLoop" : "restarted"
}

/** Whether the last end was the app's doing, as far as the status tells; what people or agents stop is not. */
function wasOwnDoing(copy: AssignmentLike): boolean {
  const { exitCode, signal, finishedAt } = copy.status ?? {}
  const exit = exitOf(exitCode, signal)
  if (exit.kind === "unknown" || wasAskedFor(copy, Date.parse(finishedAt ?? ""))) return false
  const stop = signalNumber(copy.spec.template?.stopSignal ?? "TERM")
  const probes = copy.spec.template?.probes
  // A probe that fails ends a process by the stop signal as well.
  return exit.signal !== stop || Boolean(probes?.startup ?? probes?.liveness)
}

/** Whether the end followed from a restart that somebody asked for. */
function wasAskedFor(copy: AssignmentLike, ended: number): boolean {
  const asked = Date.parse(copy.metadata?.annotations?.[RESTARTED_AT] ?? "")
  const grace = (copy.spec.template?.terminationGracePeriodSeconds ?? 5) * 1000
  return ended >= asked && ended <= asked + grace + RESTART_MS
}
