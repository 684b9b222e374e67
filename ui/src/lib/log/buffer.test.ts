import { describe, expect, it } from "vitest"
import { LineBuffer } from "./buffer"
import { LineMaker, type LogLine } from "./line"
import { parseWireLine } from "./wire"
import { marked, Matches, finder } from "./search"

const lines = (source: string, ...raw: string[]) => new LineMaker(source).make(raw.map(parseWireLine))
const texts = (buffer: Iterable<LogLine>) => [...buffer].map(({ text }) => text)
const some = (from: number, until: number) =>
  lines("a", ...Array.from({ length: until - from }, (_, at) => `1:${at + 1} T line ${from + at}`))

describe("LineMaker", () => {
  it("leaves marks out, and knows notes and the boundaries of runs", () => {
    const made = lines(
      "a",
      "1:5 T1 one",
      "1:5",
      "1:9 T1 --- 4 bytes lost: rotated away before they were read ---",
      "2:5 T2 two",
    )
    expect(made.map(({ kind, run }) => [kind, run])).toEqual([
      ["text", 1],
      ["note", 1],
      ["run", 2],
      ["text", 2],
    ])
    expect(made[1]?.note).toEqual({ kind: "lost", bytes: 4 })
    expect(made[2]?.time).toBe("T2")
  })

  it("hands a colour on to the next line, and not to the next run", () => {
    const E = String.fromCharCode(27)
    const made = lines("a", `1:5 T ${E}[31mone`, "1:9 T two", "2:3 T three")
    expect(made.map((line) => line.spans()[0]?.classes)).toEqual(["fg1", "fg1", undefined, ""])
  })
})

describe("LineBuffer", () => {
  it("keeps the newest, and their numbers", () => {
    const buffer = new LineBuffer(4)
    expect(buffer.append(some(0, 3))).toBe(0)
    expect(buffer.append(some(3, 6))).toBe(2)
    expect([buffer.begin, buffer.end]).toEqual([2, 6])
    expect(buffer.at(2)?.text).toBe("line 2")
    expect(buffer.at(1)).toBeUndefined()
  })

  it("gives older lines room until they are forgotten", () => {
    const buffer = new LineBuffer(4)
    buffer.append(some(10, 14))
    buffer.prepend(some(7, 10))
    expect([buffer.begin, buffer.end, buffer.at(-3)?.text]).toEqual([-3, 4, "line 7"])
    expect(buffer.append(some(14, 15))).toBe(1)
    expect(buffer.length).toBe(7)
    expect(buffer.forget()).toBe(3)
    expect(texts(buffer)).toEqual(["line 11", "line 12", "line 13", "line 14"])
  })

  it("merges logs by time, each in its own order", () => {
    const buffer = new LineBuffer(10)
    buffer.append(lines("a", "1:1 T1 a1", "1:2 T3 a2", "1:3 T3 a3"))
    const end = buffer.end
    buffer.merge(lines("b", "1:1 T2 b1", "1:2 T3 b2", "1:3 T9 b3"))
    expect(texts(buffer)).toEqual(["a1", "b1", "a2", "a3", "b2", "b3"])
    expect(buffer.begin).toBe(end)
    buffer.without("a")
    expect(texts(buffer)).toEqual(["b1", "b2", "b3"])
  })
})

describe("Matches", () => {
  it("follows what comes and goes", () => {
    const buffer = new LineBuffer(5)
    const matches = new Matches()
    buffer.append(some(8, 11))
    matches.look("E 1", buffer)
    expect(matches.ids).toEqual([2])
    buffer.append(some(11, 14))
    matches.follow(buffer)
    expect(matches.ids).toEqual([2, 3, 4, 5])
    buffer.append(some(20, 22))
    matches.follow(buffer)
    expect([buffer.begin, matches.ids]).toEqual([3, [3, 4, 5]])
    buffer.prepend(some(1, 2))
    matches.again(buffer)
    expect(matches.ids).toEqual([2, 3, 4, 5])
    matches.look("", buffer)
    expect(matches.ids).toEqual([])
  })

  it("steps around the end", () => {
    const buffer = new LineBuffer(5)
    buffer.append(some(0, 3))
    const matches = new Matches()
    matches.look("line", buffer)
    expect([matches.step(undefined, 1), matches.step(undefined, -1)]).toEqual([0, 2])
    expect([matches.step(2, 1), matches.step(0, -1), matches.step(0, 1)]).toEqual([0, 2, 1])
  })
})

describe("marked", () => {
  it("cuts spans where matches begin and end", () => {
    const spans = [
      { text: "an err", classes: "fg1" },
      { text: "or: Error", classes: "" },
    ]
    expect(marked(spans, finder("error"))).toEqual([
      { text: "an ", classes: "fg1", isMatch: false },
      { text: "err", classes: "fg1", isMatch: true },
      { text: "or", classes: "", isMatch: true },
      { text: ": ", classes: "", isMatch: false },
      { text: "Error", classes: "", isMatch: true },
    ])
  })

  it("takes signs of patterns as they are", () => {
    expect(marked([{ text: "a.b axb", classes: "" }], finder("a.b")).map(({ isMatch }) => isMatch)).toEqual([
      true,
      false,
    ])
  })
})
