/**
 * In whose name the API is asked. The API is always this page's own origin: the server serves the UI, and while
 * developing Vite hands requests on to `VITE_API_BASE`.
 */

import { ref } from "vue"
import { forget, keep, kept } from "../storage"

const KEY = "plum.token"

/** The bearer token; empty where the server asks for none, or none was given yet. */
export const token = ref(kept("tab", KEY) ?? kept("browser", KEY) ?? "")

/** Use a token from now on: in this tab, or with `isKept` in this browser until somebody signs out. */
export function signIn(text: string, isKept: boolean): void {
  token.value = text
  keep("tab", KEY, text)
  if (isKept) keep("browser", KEY, text)
  else forget("browser", KEY)
}

/** Use the token of the other tabs; empty: they have signed out. */
export function adopt(text: string): void {
  if (text === token.value) return
  if (!text) return signOut()
  token.value = text
  keep("tab", KEY, text)
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
}
