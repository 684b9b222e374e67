/** What the words of the UI are made of: a level that colours, a sentence that is said in the reader's language. */

/** ok: as wanted. busy: on its way. warn: works, but look. bad: does not. idle: not meant to run. unknown: nobody can tell. */
export type Level = "ok" | "busy" | "warn" | "bad" | "idle" | "unknown"

/** A text to be said: `t(sentence.key, sentence.params ?? {})`. The key is a whole one and begins with `words.`. */
export interface Sentence {
  key: string
  params?: Record<string, string | number>
}

/** Why something is as it is, and what to do about it. */
export interface Cause {
  /** A word for programs, mostly the server's reason. */
  code: string
  says: Sentence
  remedy?: Sentence
  /** The server's own sentence; empty where it said none. */
  raw: string
  /** Since when, in RFC 3339. */
  since?: string
}

export type Translate = (key: string, params: Record<string, string | number>) => string

/** A sentence below `words.`. */
export function sentence(key: string, params?: Record<string, string | number>): Sentence {
  return params ? { key: `words.${key}`, params } : { key: `words.${key}` }
}

/** The sentence in the language of `t`. */
export function say(t: Translate, what: Sentence): string {
  return t(what.key, what.params ?? {})
}

/** Several sentences as parts of one, joined as the language does: "2 tasks are down, 1 node is lost". */
export function sayAll(t: Translate, parts: readonly Sentence[]): string {
  return parts.map((part) => say(t, part)).join(t("words.join", {}))
}

const RANK: Record<Level, number> = { bad: 0, unknown: 1, warn: 2, busy: 3, ok: 4, idle: 5 }

/** Sorts what needs a look first. */
export function byLevel(a: Level, b: Level): number {
  return RANK[a] - RANK[b]
}

export function worst(levels: readonly Level[], otherwise: Level = "ok"): Level {
  return (
    levels.reduce<Level | undefined>((found, level) => {
      return found === undefined || byLevel(level, found) < 0 ? level : found
    }, undefined) ?? otherwise
  )
}
