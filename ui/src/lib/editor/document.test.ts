import { describe, expect, it } from "vitest"
import { locate, parse, pathAt, withItem, withMapping, withMoved, withValue } from "./document"

const TEXT = `# The shop.
apiVersion: plum.dev/v1
kind: Task
metadata:
  name: shop # ours
spec:
  entries:
    - name: web
      app: { name: shop, version: "2.10" }
      # enough for the night
      replicas: 2
      ports:
        - name: http
    - name: jobs
      app: { name: shop, version: "2.10" }
`

const slice = (text: string, { from, to }: { from: number; to: number }) => text.slice(from, to)

describe("changing a field", () => {
  it("keeps comments, quotes and everything else as written", () => {
    expect(withValue(TEXT, ["spec", "entries", 0, "replicas"], 4)).toBe(
      TEXT.replace("replicas: 2", "replicas: 4"),
    )
    expect(withValue(TEXT, ["metadata", "name"], "store")).toBe(TEXT.replace("name: shop #", "name: store #"))
  })

  it("quotes what would be read as something else", () => {
    const text = withValue(TEXT, ["spec", "entries", 0, "app", "version"], "1.0")
    expect(text).toContain('version: "1.0"')
  })

  it("removes what is empty after a removal, but no item of a list", () => {
    const text = withValue(TEXT, ["spec", "entries", 0, "ports", 0], undefined)
    expect(text).not.toContain("ports")
    expect(parse(withValue(text, ["spec", "entries", 0, "startCmd"], undefined)).value).toEqual(
      parse(text).value,
    )
  })

  it("makes what is on the way", () => {
    const text = withValue(TEXT, ["spec", "entries", 1, "probes", "readiness", "tcpSocket", "port"], "http")
    expect(parse(text).value).toMatchObject({
      spec: { entries: [{}, { probes: { readiness: { tcpSocket: { port: "http" } } } }] },
    })
  })

  it("keeps the way lists stand", () => {
    const flat = "spec:\n  entries:\n  - name: a\n  - name: b\n"
    expect(withValue(flat, ["spec", "entries", 1, "name"], "c")).toBe(flat.replace("name: b", "name: c"))
  })

  it("fills a key that has no value yet", () => {
    expect(parse(withValue("spec:\n  app:\n", ["spec", "app", "name"], "a")).value).toEqual({
      spec: { app: { name: "a" } },
    })
  })

  it("leaves text that cannot be read alone", () => {
    expect(withValue("a: [", ["a"], 1)).toBe("a: [")
  })

  it("writes through aliases by giving them up", () => {
    const text = "a: &x\n  n: 1\nb: *x\n"
    expect(parse(withValue(text, ["b", "n"], 2)).value).toEqual({ a: { n: 1 }, b: { n: 2 } })
  })

  it("sets just these keys of a mapping", () => {
    const text = "metadata:\n  labels:\n    a: x # one\n    b: y\n"
    expect(withMapping(text, ["metadata", "labels"], { a: "x", c: "z" })).toBe(
      "metadata:\n  labels:\n    a: x # one\n    c: z\n",
    )
    expect(parse(withMapping(text, ["metadata", "labels"], {})).value).toEqual({ metadata: {} })
  })

  it("adds and moves items with their comments", () => {
    const added = withItem(TEXT, ["spec", "entries"], { name: "extra" })
    expect(added.endsWith("    - name: extra\n")).toBe(true)
    const moved = withMoved(TEXT, ["spec", "entries"], 0, 1)
    expect(moved.indexOf("name: jobs")).toBeLessThan(moved.indexOf("# enough for the night"))
  })
})

describe("finding a field", () => {
  const parsed = parse(TEXT)

  it("is its value", () => {
    expect(slice(TEXT, locate(parsed, ["spec", "entries", 0, "replicas"]))).toBe("2")
    expect(slice(TEXT, locate(parsed, ["spec", "entries", 1, "app", "version"]))).toBe('"2.10"')
  })

  it("is the key of a block, and the first of an item", () => {
    expect(slice(TEXT, locate(parsed, ["spec", "entries"]))).toBe("entries")
    expect(slice(TEXT, locate(parsed, ["spec", "entries", 1]))).toBe("name")
  })

  it("is what it would stand in where it is missing", () => {
    expect(slice(TEXT, locate(parsed, ["spec", "entries", 0, "ports", 0, "port"]))).toBe("name")
    expect(slice(TEXT, locate(parsed, ["spec", "strategy", "maxSurge"]))).toBe("spec")
  })

  it("works the other way round", () => {
    expect(pathAt(parsed, TEXT.indexOf("http"))).toEqual(["spec", "entries", 0, "ports", 0, "name"])
    expect(pathAt(parsed, TEXT.indexOf("version:") + 3)).toEqual(["spec", "entries", 0, "app", "version"])
  })

  it("tells what the parser says, where", () => {
    expect(parse("a: 1\na: 2\n").problems).toMatchObject([{ code: "DUPLICATE_KEY" }])
    expect(parse("a: [").value).toBeUndefined()
  })
})
