import { stringify } from "yaml"
import { describe, expect, it } from "vitest"
import { paint } from "./paint"

const tones = (yaml: string) => paint(yaml).map((line) => line.map(({ tone, text }) => `${tone}:${text}`))

describe("paint", () => {
  it("tells keys, marks and values apart", () => {
    expect(tones("a: 1\nb: x y\nc: true\nd: {}\n")).toEqual([
      ["key:a", "mark::", "plain: ", "number:1"],
      ["key:b", "mark::", "plain: ", "text:x y"],
      ["key:c", "mark::", "plain: ", "word:true"],
      ["key:d", "mark::", "plain: ", "word:{}"],
    ])
  })

  it("knows lists, of texts and of objects", () => {
    expect(tones("args:\n  - -v\n  - name: web\n    port: 80\n")).toEqual([
      ["key:args", "mark::"],
      ["mark:  - ", "text:-v"],
      ["mark:  - ", "key:name", "mark::", "plain: ", "text:web"],
      ["plain:    ", "key:port", "mark::", "plain: ", "number:80"],
    ])
  })

  it("takes keys with slashes, dots and quotes", () => {
    expect(tones('plum.dev/task: shop\n"a b: c": 1\nf:spec: {}')).toEqual([
      ["key:plum.dev/task", "mark::", "plain: ", "text:shop"],
      ['key:"a b: c"', "mark::", "plain: ", "number:1"],
      ["key:f:spec", "mark::", "plain: ", "word:{}"],
    ])
  })

  it("leaves the text of a block alone, however it looks", () => {
    const yaml = stringify({ script: "set -e\nkey: 1\n\n  - x\n", after: 2 })
    expect(paint(yaml).map((line) => line.at(-1)?.tone)).toEqual([
      "mark",
      "text",
      "text",
      "text",
      "text",
      "number",
    ])
  })

  it("leaves nothing out", () => {
    const yaml = stringify({
      metadata: { annotations: { a: '{"x": "y: z"}', b: "# no comment", c: "it's", d: "" } },
      list: [[1, 2], { a: [] }, "x: y", "- z", null, -1.5, "2026-11-26T07:41:04Z"],
      quoted: 'ends with\ttab and "quotes" \u0001',
    })
    expect(
      paint(yaml)
        .map((line) => line.map(({ text }) => text).join(""))
        .join("\n") + "\n",
    ).toBe(yaml)
  })
})
