import { describe, expect, it } from "vitest"
import { compareLines, folded } from "./lines"

const shown = (before: string, after: string) =>
  compareLines(before, after).map(({ kind, text }) => `${{ same: " ", gone: "-", new: "+" }[kind]}${text}`)

describe("compareLines", () => {
  it("shows what goes before what comes", () => {
    expect(shown("a\nb\nc\n", "a\nx\nc\n")).toEqual([" a", "-b", "+x", " c"])
  })

  it("keeps what is common in order", () => {
    expect(shown("a\nb\nc\nd", "b\nd\ne")).toEqual(["-a", " b", "-c", " d", "+e"])
  })

  it("knows empty texts", () => {
    expect(shown("", "")).toEqual([])
    expect(shown("", "a\n")).toEqual(["+a"])
    expect(shown("a\n", "")).toEqual(["-a"])
  })

  it("numbers lines on both sides", () => {
    expect(compareLines("a\nb\nc", "b\nc\nd")).toEqual([
      { kind: "gone", text: "a", before: 1 },
      { kind: "same", text: "b", before: 2, after: 1 },
      { kind: "same", text: "c", before: 3, after: 2 },
      { kind: "new", text: "d", after: 3 },
    ])
  })

  it("takes very long parts for other ones, instead of all of the memory", () => {
    const long = (word: string) => Array.from({ length: 100_000 }, (_, at) => `${word} ${at}`).join("\n")
    const lines = compareLines(`first\n${long("a")}`, `first\n${long("b")}`)
    expect(lines).toHaveLength(200_001)
    expect(lines[0]).toEqual({ kind: "same", text: "first", before: 1, after: 1 })
    expect(lines[1]).toEqual({ kind: "gone", text: "a 0", before: 2 })
    expect(lines.at(-1)).toEqual({ kind: "new", text: "b 99999", after: 100_001 })
  })

  it("gives both texts back, whatever they are", () => {
    let seed = 7
    const random = (below: number) => (seed = (seed * 16807) % 2147483647) % below
    for (let round = 0; round < 60; round += 1) {
      const text = () => Array.from({ length: random(12) + 1 }, () => "abc"[random(3)]).join("\n")
      const [before, after] = [text(), text()]
      const lines = compareLines(before, after)
      const side = (not: string) =>
        lines.flatMap(({ kind, text: line }) => (kind === not ? [] : [line])).join("\n")
      expect(side("new")).toBe(before)
      expect(side("gone")).toBe(after)
    }
  })
})

it("folds long stretches that are the same", () => {
  const before = Array.from({ length: 20 }, (_, at) => `line ${at}`)
  const after = before.map((line, at) => (at === 10 ? "other" : line))
  const kinds = folded(compareLines(before.join("\n"), after.join("\n")), 2).map((line) =>
    line.kind === "gap" ? line.count : line.kind,
  )
  expect(kinds).toEqual([8, "same", "same", "gone", "new", "same", "same", 7])
})
