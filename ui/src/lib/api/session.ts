/**
 * In whose name the API is asked. The API is always this page's own origin: the server serves the UI, and while
 * developing Vite hands requests on to `VITE_API_BASE`.
 */

import { ref } from "vue"

const KEY = "plum.token"

function remembered(): string {
  try {
    return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? ""
  } catch {
    return "" // storage may be forbidden
  }
}

/** The bearer token; empty where the server asks for none, or none was given yet. */
export const token = ref(remembered())

/** Use a token from now on: in this tab, or with `keep` in this browser until somebody signs out. */
export function signIn(text: string, keep: boolean): void {
  token.value = text
  try {
    sessionStorage.setItem(KEY, text)
    if (keep) localStorage.setItem(KEY, text)
    else localStorage.removeItem(KEY)
  } catch {
    // it holds as long as the page does
  }
}

/** Use the token of the other tabs; empty: they have signed out. */
export function adopt(text: string): void {
  if (text === token.value) return
  if (!text) return signOut()
  token.value = text
  try {
    sessionStorage.setItem(KEY, text)
  } catch {
    // it holds as long as the page does
  }
}

/** Grows when the server did not know who asked. */
export const doubts = ref(0)

/** The server did not know who asked: the token that is in use may count no more. */
export function doubt(): void {
  doubts.value += 1
}

export function signOut(): void {
  token.value = ""
  try {
    sessionStorage.removeItem(KEY)
    localStorage.removeItem(KEY)
  } catch {
    // there was nothing to forget
  }
}
