import { afterEach, beforeEach, expect, it, vi } from "vitest"

/** What a browser keeps for a tab, or for all of them. */
class Kept {
  constructor(readonly texts = new Map<string, string>()) {}
  getItem = (key: string) => this.texts.get(key) ?? null
  setItem = (key: string, text: string) => void this.texts.set(key, text)
  removeItem = (key: string) => void this.texts.delete(key)
}

let browser = new Kept()

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
  browser = new Kept()
  vi.stubGlobal("localStorage", browser)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** The module as a page loads it, in a tab with what it kept. */
async function open(tab: Kept) {
  vi.stubGlobal("sessionStorage", tab)
  vi.resetModules()
  return import("./session")
}

it("remembers a token as long as the tab, or as the browser if that was asked for", async () => {
  const tab = new Kept()
  ;(await open(tab)).signIn("secret", false)
  expect((await open(tab)).token.value).toBe("secret")
  expect((await open(new Kept())).token.value).toBe("")
  ;(await open(tab)).signIn("secret", true)
  expect((await open(new Kept())).token.value).toBe("secret")
})

it("does not take up a token again after somebody has signed out for all tabs", async () => {
  const closed = new Kept()
  ;(await open(closed)).signIn("secret", false)
  vi.advanceTimersByTime(1000)
  const other = new Kept()
  ;(await open(other)).signOut()
  expect((await open(closed)).token.value).toBe("")
  vi.advanceTimersByTime(1000)
  ;(await open(other)).signIn("newer", false)
  expect((await open(other)).token.value).toBe("newer")
})
