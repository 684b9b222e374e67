import { describe, expect, it } from "vitest"
import { beginsRun, compareCursors, LineCutter, noteOf, parseWireLine } from "./wire"

const bytes = (text: string) => new TextEncoder().encode(text)

describe("parseWireLine", () => {
  it("reads cursor, time and text", () => {
    expect(parseWireLine("3:120 2026-01-02T03:04:05.000001Z hello  world")).toEqual({
      cursor: "3:120",
      run: 3,
      time: "2026-01-02T03:04:05.000001Z",
      text: "hello  world",
    })
  })

  it("tells an empty line from a mark", () => {
    expect(parseWireLine("3:121 2026-01-02T03:04:05Z ").text).toBe("")
    expect(parseWireLine("3:121").text).toBeUndefined()
  })
})

describe("cursors", () => {
  it("compare by run, then by offset, as numbers", () => {
    expect(compareCursors("2:9", "10:1")).toBeLessThan(0)
    expect(compareCursors("2:9", "2:10")).toBeLessThan(0)
    expect(compareCursors("2:9", "2:9")).toBe(0)
  })

  it("tell the first line of a run by its bytes", () => {
    expect(beginsRun(parseWireLine("1:9 T größe"))).toBe(false)
    expect(beginsRun(parseWireLine("1:8 T größe"))).toBe(true)
    expect(beginsRun(parseWireLine("1:20 T größe"))).toBe(false)
  })
})

describe("LineCutter", () => {
  it("waits for the ends of lines and of characters", () => {
    const cutter = new LineCutter()
    const whole = bytes("1:9 T 日本\n1:12 T b\n1:12")
    expect(cutter.feed(whole.slice(0, 7))).toEqual([])
    expect(cutter.feed(whole.slice(7, 16)).map(({ text }) => text)).toEqual(["日本"])
    expect(cutter.feed(whole.slice(16)).map(({ text }) => text)).toEqual(["b"])
    expect(cutter.feed(bytes("\n")).map(({ text }) => text)).toEqual([undefined])
  })
})

describe("noteOf", () => {
  it("knows what the node says of what is missing", () => {
    expect(noteOf("--- 12345 bytes lost: rotated away before they were read ---")).toEqual({
      kind: "lost",
      bytes: 12345,
    })
    expect(noteOf("--- runs 1 to 3 were removed before all of it was read ---")).toEqual({
      kind: "removed",
      first: 1,
      last: 3,
    })
    expect(noteOf("--- run 2 was removed before all of it was read ---")).toEqual({
      kind: "removed",
      first: 2,
      last: 2,
    })
    expect(
      noteOf("--- the log of run 3 is gone: out.log was removed, and with it what is written to it ---"),
    ).toEqual({ kind: "gone", run: 3 })
  })

  it("leaves lines of apps that look alike", () => {
    expect(noteOf("--- a/file ---")).toBeUndefined()
    expect(noteOf("--- ---")).toBeUndefined()
  })
})
