/** How a process ended, by what the status or an event says of it: a code, a signal, a probe, or a start that failed. */
import { exitOf } from "./exits"
import { tidied } from "./reasons"
import { sentence, type Sentence } from "./sentences"

export interface Ending {
  /** The key below `exit`, `again` and `exitRemedy`. */
  kind: string
  params: Record<string, string | number>
}

const PROBE = /^(?<probe>startup|liveness): (?<seen>.+)$/s
const CODE = /^exited with code (?<code>\d+)$/
const SIGNAL = /^ended by signal (?<signal>\d+)$/
const STREAK = /, \d+ times in a row; starts again after .*$/s

/** `raw` is the agent's sentence; a code and a signal count where it names neither a probe nor a refused start. */
export function endingOf(raw: string, code?: number | null, signal?: number | null): Ending {
  const text = raw.replace(STREAK, "")
  const probe = PROBE.exec(text)?.groups
  if (probe) return { kind: "unhealthy", params: tidied(probe) }
  const exit = exitOf(code ?? numberIn(CODE, text), signal ?? numberIn(SIGNAL, text))
  if (exit.kind !== "unknown") return { kind: exit.kind, params: exit.params }
  if (!text || text.startsWith("ended, nobody knows how")) return { kind: "unknown", params: {} }
  return { kind: "startFailed", params: tidied({ why: text.replace(/^cannot start the command: /, "") }) }
}

function numberIn(form: RegExp, text: string): number | undefined {
  const found = form.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** Said of one end, or of one that comes again and again. */
export function endingWords(ending: Ending, how: "exit" | "again"): Sentence {
  return sentence(how === "exit" ? `exit.${ending.kind}` : `again.${ending.kind}`, ending.params)
}

export function endingRemedy(ending: Ending): Sentence {
  return sentence(`exitRemedy.${ending.kind}`)
}
