import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import english from "./en"
import chinese from "./zh"

const source = join(import.meta.dirname, "..")

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === "locales" ? [] : files(path)
    return /\.(vue|ts)$/.test(entry.name) && !entry.name.endsWith(".test.ts") ? [path] : []
  })
}

function keysOf(texts: object, prefix = ""): Map<string, string> {
  return new Map(
    Object.entries(texts).flatMap(([key, value]: [string, unknown]) =>
      typeof value === "object" && value !== null
        ? [...keysOf(value, `${prefix}${key}.`)]
        : [[`${prefix}${key}`, String(value)] as [string, string]],
    ),
  )
}

const known = keysOf(english)
const translated = keysOf(chinese)

describe("texts", () => {
  it("has every key that the pages name", () => {
    const missing = files(source).flatMap((path) =>
      [...readFileSync(path, "utf8").matchAll(/(?<![\w.])t\(\s*["']([\w.-]+)["']/g)]
        .map(([, key]) => key ?? "")
        .filter((key) => !known.has(key))
        .map((key) => `${path}: ${key}`),
    )
    expect(missing).toEqual([])
  })

  it("has no key that nothing names", () => {
    const named = new Set<string>()
    const forms: RegExp[] = []
    for (const path of files(source)) {
      // It puts `words.` before whatever it is given.
      if (path.endsWith("words/sentences.ts")) continue
      const text = readFileSync(path, "utf8")
      for (const [, word = ""] of text.matchAll(/["'`]([A-Za-z][\w.-]*)["'`]/g)) named.add(word)
      // With parts that are filled in, such as `words.state.${state}`.
      for (const [, form = ""] of text.matchAll(/`(\w+\.[\w.]*(?:\$\{[^{}`]*\}[\w.]*)+)`/g)) {
        const parts = form.split(/\$\{.*?\}/).map((part) => part.replaceAll(".", "\\."))
        forms.push(new RegExp(`^${parts.join("[\\w.]+")}$`))
      }
    }
    const isNamed = (key: string) => named.has(key) || forms.some((form) => form.test(key))
    // Sentences are named below `words.`.
    const unnamed = [...known.keys()].filter((key) => !isNamed(key) && !isNamed(key.replace(/^words\./, "")))
    expect(unnamed).toEqual([])
  })

  it("has the same places to fill in both languages", () => {
    const places = (text = "") => [...new Set(text.match(/\{\w+\}/g))].sort().join()
    const differing = [...known].filter(([key, text]) => places(text) !== places(translated.get(key)))
    // A count that is said by the singular's form alone may be missing there.
    expect(differing.filter(([, text]) => !text.includes("|")).map(([key]) => key)).toEqual([])
  })
})
