/** A reason of the server as a cause that people can read: our sentence, what to do, and the server's own beside it. */
import { isReason, isRemedy } from "./codes"
import { shortDigest } from "./ids"
import { seenParams } from "./seen"
import { sentence, type Cause, type Sentence } from "./sentences"

/** An address whose file has a name: that is what people know it by. */
const ANSWERED = /^\S*?\/(?<file>[^/\s?]+)(?:\?\S*)?: the server answered (?<code>\d+)/

/**
 * What a server's sentence tells beyond its reason, by reason. Where it matches, `detail.<reason>` is said with these
 * parameters; where the server words it otherwise, `reason.<reason>` is as true and only says less.
 */
const DETAILS: Record<string, RegExp> = {
  Bound: /^placed on (?<node>\S+)$/,
  PortTaken: /^no ready node has port (?<ports>[\d, ]+) free/,
  NeedsPlumAgent: /the entry asks for (?<fields>[^:]+):/,
  NoSuchNode: /for nodes that do not exist: (?<nodes>[^;]+);/,
  ArtifactNotFound: ANSWERED,
  ArtifactRefused: ANSWERED,
  ArtifactMissing: /^entry (?<entry>\S+): app (?<app>.+?) is not in namespace (?<namespace>[^\s;]+);/,
  WaitingForDependencies: /^waits for (?<entries>.+)$/,
  WaitingForPredecessor: /^waits for (?<instance>\S+) to end$/,
  NodeSilent: /^node (?<node>\S+) is silent$/,
  TooFewReady: /^entry (?<entry>\S+): (?<ready>\d+) of (?<wanted>\d+) copies are ready/,
  RollingOut: /^(?<updated>\d+) of (?<wanted>\d+) copies are up to date/,
  ProbePending: /^(?<probe>startup|readiness|liveness): (?!.*(?:asked|passed) yet$)(?<seen>.+)$/s,
  ProbeFailed: /^(?<probe>startup|readiness|liveness): (?<seen>.+)$/s,
  Unhealthy: /^(?<probe>startup|readiness|liveness): (?<seen>.+)$/s,
  StartFailed: /^cannot start the command: (?<why>.+)$/s,
}

export const DETAILED: readonly string[] = Object.keys(DETAILS)

/** What a reason means. One that has no words yet speaks for itself, by its message. */
export function reasonWords(code: string, raw = ""): Sentence {
  const found = DETAILS[code]?.exec(raw)?.groups
  if (found) return sentence(`detail.${code}`, tidied(found))
  if (isReason(code)) return sentence(`reason.${code}`)
  return sentence("reason.other", { reason: code, message: raw || code })
}

/** Parts of a sentence, to be put into another: its full stop is not theirs. */
export function tidied(groups: Record<string, string>): Record<string, string> {
  const { seen, ...rest } = groups
  const tidy = Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [name, shortened(value.replace(/[.\s]+$/, ""))]),
  )
  return seen === undefined ? tidy : { ...tidy, ...seenParams(seen) }
}

/** A blob is called by its digest, of which the beginning is enough. */
function shortened(value: string): string {
  return /^[0-9a-f]{64}$/.test(value) ? shortDigest(value) : value
}

function remedyWords(code: string): Sentence | undefined {
  return isRemedy(code) ? sentence(`remedy.${code}`) : undefined
}

/** A cause by the server's reason and sentence. */
export function reasonCause(code: string, raw = "", since?: string): Cause {
  const cause: Cause = { code, says: reasonWords(code, raw), raw }
  const remedy = remedyWords(code)
  if (remedy) cause.remedy = remedy
  if (since) cause.since = since
  return cause
}
