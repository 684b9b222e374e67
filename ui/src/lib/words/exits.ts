/** How a process ended, in words: by a code, by a signal, or nobody knows. */
import { sentence, type Sentence } from "./sentences"

/** Linux' numbers; an agent runs nowhere else. */
const SIGNALS: Record<number, string> = {
  1: "HUP",
  2: "INT",
  3: "QUIT",
  4: "ILL",
  5: "TRAP",
  6: "ABRT",
  7: "BUS",
  8: "FPE",
  9: "KILL",
  10: "USR1",
  11: "SEGV",
  12: "USR2",
  13: "PIPE",
  14: "ALRM",
  15: "TERM",
  24: "XCPU",
  25: "XFSZ",
  31: "SYS",
}

/** `SIGKILL` for 9; `signal 40` stays a number. */
export function signalName(signal: number): string {
  const name = SIGNALS[signal]
  return name ? `SIG${name}` : String(signal)
}

/** The number of a signal's name without SIG. */
export function signalNumber(name: string): number | undefined {
  const found = Object.entries(SIGNALS).find(([, known]) => known === name)
  return found ? Number(found[0]) : undefined
}

export type ExitKind =
  | "clean"
  | "code"
  | "notExecutable"
  | "notFound"
  | "aborted"
  | "segfault"
  | "killed"
  | "terminated"
  | "signal"
  | "unknown"

export interface Exit {
  kind: ExitKind
  params: Record<string, string | number>
  /** The signal behind it, also where a shell turned that into a code. */
  signal?: number
}

type Number_ = number | null | undefined

/** Of which kind an end is. A shell tells of a command that a signal ended by 128 and its number. */
export function exitOf(code: Number_, signal: Number_): Exit {
  if (typeof signal === "number") return bySignal(signal, {})
  if (typeof code !== "number") return { kind: "unknown", params: {} }
  if (code === 0) return { kind: "clean", params: {} }
  if (code === 126) return { kind: "notExecutable", params: { code } }
  if (code === 127) return { kind: "notFound", params: { code } }
  if (SIGNALS[code - 128]) return bySignal(code - 128, { code })
  return { kind: "code", params: { code } }
}

const KINDS: Record<number, ExitKind> = { 6: "aborted", 9: "killed", 11: "segfault", 15: "terminated" }

function bySignal(signal: number, more: Record<string, string | number>): Exit {
  return {
    kind: KINDS[signal] ?? "signal",
    params: { signal: signalName(signal), code: 128 + signal, ...more },
    signal,
  }
}

/** "Ended with code 1". */
export function exitWords(code: Number_, signal: Number_): Sentence {
  const exit = exitOf(code, signal)
  return sentence(`exit.${exit.kind}`, exit.params)
}
