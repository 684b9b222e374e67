import { afterEach, expect, it, vi } from "vitest"
import { forget, keep, kept } from "./storage"

afterEach(() => vi.unstubAllGlobals())

it("keeps texts where they are to be kept", () => {
  const texts = new Map<string, string>()
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => texts.get(key) ?? null,
    setItem: (key: string, text: string) => texts.set(key, text),
    removeItem: (key: string) => texts.delete(key),
  })
  keep("browser", "a", "1")
  expect([kept("browser", "a"), kept("tab", "a")]).toEqual(["1", null])
  forget("browser", "a")
  expect(kept("browser", "a")).toBeNull()
})

it("goes on where the browser forbids it", () => {
  const forbidden = () => {
    throw new DOMException("", "SecurityError")
  }
  vi.stubGlobal("sessionStorage", { getItem: forbidden, setItem: forbidden, removeItem: forbidden })
  keep("tab", "a", "1")
  forget("tab", "a")
  expect(kept("tab", "a")).toBeNull()
})
