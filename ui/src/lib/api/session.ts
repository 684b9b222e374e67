/**
 * In whose name the API is asked. The API is always this page's own origin: the server serves the UI, and while
 * developing Vite hands requests on to `VITE_API_BASE`.
 */

import { ref } from "vue"
import { forget, keep, kept } from "../storage"

const KEY = "plum.token"
/** When a tab began to use its token, and when somebody signed out last; milliseconds since 1970. */
const SINCE = "plum.token.since"
const ENDED = "plum.signed-out"

/** The bearer token; empty where the server asks for none, or none was given yet. */
export const token = ref(remembered())

/** A closed tab comes back with what it kept. After somebody has signed out for all tabs that counts no more. */
function remembered(): string {
  if (Number(kept("tab", SINCE)) <= Number(kept("browser", ENDED))) forget("tab", KEY)
  return kept("tab", KEY) ?? kept("browser", KEY) ?? ""
}

function use(text: string): void {
  token.value = text
  keep("tab", KEY, text)
  keep("tab", SINCE, String(Date.now()))
}

/** Use a token from now on: in this tab, or with `isKept` in this browser until somebody signs out. */
export function signIn(text: string, isKept: boolean): void {
  use(text)
  if (isKept) keep("browser", KEY, text)
  else forget("browser", KEY)
}

/** Use the token of the other tabs; empty: they have signed out. */
export function adopt(text: string): void {
  if (text === token.value) return
  if (!text) return signOut()
  use(text)
}

/** Grows when the server did not know who asked. */
export const doubts = ref(0)

/** The server did not know who asked: the token that is in use may count no more. */
export function doubt(): void {
  doubts.value += 1
}

export function signOut(): void {
  token.value = ""
  forget("tab", KEY)
  forget("browser", KEY)
  keep("browser", ENDED, String(Date.now()))
}
