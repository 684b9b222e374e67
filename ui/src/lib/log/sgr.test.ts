import { describe, expect, it } from "vitest"
import { endStyle, PLAIN, plainText, spansOf } from "./sgr"

const E = String.fromCharCode(27)
const drawn = (raw: string) => spansOf(raw).spans.map(({ text, classes }) => `${classes}|${text}`)

describe("spansOf", () => {
  it("leaves plain text whole", () => {
    expect(drawn("GET /healthz <b>200</b>")).toEqual(["|GET /healthz <b>200</b>"])
    expect(drawn("")).toEqual([])
  })

  it("colours", () => {
    expect(drawn(`a${E}[31mred${E}[0m b${E}[1;92mgreen${E}[22mer${E}[m.`)).toEqual([
      "|a",
      "fg1|red",
      "| b",
      "fg10 bold|green",
      "fg10|er",
      "|.",
    ])
  })

  it("knows backgrounds, attributes and their ends", () => {
    expect(drawn(`${E}[3;4;7;9;41mx${E}[23;24;27;29;49my${E}[2mz`)).toEqual([
      "bg1 italic underline inverse strike|x",
      "|y",
      "dim|z",
    ])
  })

  it("brings 256 colours and RGB to the palette", () => {
    expect(drawn(`${E}[38;5;196ma${E}[38;2;20;200;30mb${E}[48;5;244mc`)).toEqual([
      "fg1|a",
      "fg2|b",
      "fg2 bg8|c",
    ])
    expect(drawn(`${E}[38:2::250:250:250mw`)).toEqual(["fg15|w"])
    expect(drawn(`${E}[38;5;12;1mx`)).toEqual(["fg12 bold|x"])
  })

  it("leaves out other sequences and control characters", () => {
    expect(drawn(`${E}]8;;http://x${E}\\link${E}]8;;${E}\\ ${E}[2K${E}[?25lx\u0000\u0007\ty`)).toEqual([
      "|link x\ty",
    ])
    expect(drawn(`cut off ${E}`)).toEqual(["|cut off "])
    expect(drawn(`cut off ${E}[3`)).toEqual(["|cut off 3"])
  })

  it("shows the last of what overwrites itself", () => {
    expect(drawn("10%\r20%\r30%\r")).toEqual(["|30%"])
    expect(drawn(`${E}[32m10%\r20%`)).toEqual(["fg2|20%"])
    expect(plainText("done\r")).toBe("done")
  })

  it("goes on with the style of the line before", () => {
    const { end } = spansOf(`${E}[35mone`)
    expect(spansOf("two", end).spans).toEqual([{ text: "two", classes: "fg5" }])
    expect(endStyle(`${E}[0mx`, end)).toEqual({})
    expect(endStyle("x", PLAIN)).toBe(PLAIN)
  })
})

describe("plainText", () => {
  it("is what is searched and copied", () => {
    expect(plainText(`${E}[1;31mERROR${E}[0m no`)).toBe("ERROR no")
  })
})
