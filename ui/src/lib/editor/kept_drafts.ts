/** Unsaved texts outlive the page: a reload, a sign-out in between, a click too many. */

import { forget, keep, kept } from "../storage"
import { isMapping } from "./values"

export interface KeptDraft {
  text: string
  /** The manifest it was made from, as text; empty for a new task. */
  base: string
}

const keyOf = (page: string): string => `plum.draft:${page}`

export function keepDraft(page: string, draft: KeptDraft): void {
  keep("tab", keyOf(page), JSON.stringify(draft))
}

export function keptDraft(page: string): KeptDraft | undefined {
  const found: unknown = JSON.parse(kept("tab", keyOf(page)) ?? "null")
  if (!isMapping(found)) return undefined
  const { text, base } = found
  return typeof text === "string" && typeof base === "string" ? { text, base } : undefined
}

export function forgetDraft(page: string): void {
  forget("tab", keyOf(page))
}
