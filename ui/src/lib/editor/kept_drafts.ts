/** Unsaved texts outlive the page: a reload, a sign-out in between, a click too many. */

export interface KeptDraft {
  text: string
  /** The manifest it was made from, as text; empty for a new task. */
  base: string
}

const keyOf = (page: string): string => `plum.draft:${page}`

export function keepDraft(page: string, draft: KeptDraft): void {
  try {
    sessionStorage.setItem(keyOf(page), JSON.stringify(draft))
  } catch {
    // it holds as long as the page does
  }
}

export function keptDraft(page: string): KeptDraft | undefined {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(keyOf(page)) ?? "null")
    const isDraft = typeof found === "object" && found !== null && "text" in found && "base" in found
    if (!isDraft || typeof found.text !== "string" || typeof found.base !== "string") return undefined
    return { text: found.text, base: found.base }
  } catch {
    return undefined
  }
}

export function forgetDraft(page: string): void {
  try {
    sessionStorage.removeItem(keyOf(page))
  } catch {
    // there was nothing to forget
  }
}
