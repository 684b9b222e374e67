import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"

/** Values of custom properties of the light and the dark theme. */
function tokens(file: string): Record<"light" | "dark", Map<string, string>> {
  const css = readFileSync(new URL(file, import.meta.url), "utf8")
  const [light = "", dark = ""] = css.split("html.dark {")
  const read = (text: string) =>
    new Map(
      [...text.matchAll(/(--[\w-]+): (#[0-9a-f]{6})/g)].map(([, name = "", value = ""]) => [name, value]),
    )
  return { light: read(light), dark: read(dark) }
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

const ansi = tokens("ansi.css")
const all = tokens("tokens.css")

describe.each(["light", "dark"] as const)("colours of logs, %s", (theme) => {
  const ground = all[theme].get("--code-bg") ?? ""
  const of = (name: string) => ansi[theme].get(name) ?? ""

  it.each(Array.from({ length: 16 }, (_, index) => index))("colour %i is readable", (index) => {
    expect(contrast(of(`--ansi-${index}`), ground)).toBeGreaterThanOrEqual(4.5)
  })

  it("matches are readable", () => {
    expect(contrast(of("--log-match"), of("--log-match-text"))).toBeGreaterThanOrEqual(4.5)
    expect(contrast(of("--log-current"), of("--log-current-text"))).toBeGreaterThanOrEqual(4.5)
  })
})
