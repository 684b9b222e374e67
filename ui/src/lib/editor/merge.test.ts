import { describe, expect, it } from "vitest"
import { parse } from "./document"
import { changesOf, indexedPath, merge, pathText, withChange } from "./merge"
import { withChanges } from "./taking"

const BASE = {
  metadata: { labels: { team: "a" } },
  spec: {
    state: "Running",
    entries: [
      { name: "web", replicas: 2, command: ["a", "b"] },
      { name: "jobs", replicas: 1 },
    ],
  },
}

const web = (more: object) => ({
  ...BASE,
  spec: { ...BASE.spec, entries: [{ ...BASE.spec.entries[0], ...more }, BASE.spec.entries[1]] },
})

const told = (changes: { path: Parameters<typeof pathText>[0] }[]) =>
  changes.map(({ path }) => pathText(path))

describe("changes", () => {
  it("are told by names of items", () => {
    expect(told(changesOf(BASE, web({ replicas: 3 })))).toEqual(["spec.entries[web].replicas"])
  })

  it("are one for an item that came or went, and one for a list without names", () => {
    const gone = { ...BASE, spec: { ...BASE.spec, entries: [BASE.spec.entries[0]] } }
    expect(changesOf(BASE, gone)).toMatchObject([{ to: undefined }])
    expect(told(changesOf(BASE, web({ command: ["a", "c"] })))).toEqual(["spec.entries[web].command"])
  })

  it("are none for another order of keys or items", () => {
    const turned = {
      spec: { ...BASE.spec, entries: [...BASE.spec.entries].reverse() },
      metadata: BASE.metadata,
    }
    expect(changesOf(BASE, turned)).toEqual([])
  })
})

describe("a merge", () => {
  it("has both where they touch different fields", () => {
    const { value, clashes, taken } = merge(BASE, web({ replicas: 3 }), web({ startCmd: "./x" }))
    expect(clashes).toEqual([])
    expect(told(taken)).toEqual(["spec.entries[web].startCmd"])
    expect(value).toEqual(web({ replicas: 3, startCmd: "./x" }))
  })

  it("says where they touch the same field, and keeps mine", () => {
    const { value, clashes } = merge(BASE, web({ replicas: 3 }), web({ replicas: 4 }))
    expect(value).toEqual(web({ replicas: 3 }))
    expect(clashes).toMatchObject([{ base: 2, mine: 3, theirs: 4 }])
  })

  it("agrees where both did the same", () => {
    expect(merge(BASE, web({ replicas: 3 }), web({ replicas: 3 })).clashes).toEqual([])
  })

  it("clashes where one removes what the other changes", () => {
    const gone = { ...BASE, spec: { ...BASE.spec, entries: [BASE.spec.entries[1]] } }
    const { clashes } = merge(BASE, web({ replicas: 3 }), gone)
    expect(told(clashes)).toEqual(["spec.entries[web]"])
    expect(told(merge(BASE, gone, web({ replicas: 3 })).clashes)).toEqual(["spec.entries[web]"])
  })

  it("takes items that came", () => {
    const more = { ...BASE, spec: { ...BASE.spec, entries: [...BASE.spec.entries, { name: "new" }] } }
    expect(merge(BASE, web({ replicas: 3 }), more).value).toMatchObject({
      spec: { entries: [{ replicas: 3 }, {}, { name: "new" }] },
    })
  })
})

describe("paths by name", () => {
  it("are found whatever the order", () => {
    expect(indexedPath(BASE, ["spec", "entries", { name: "jobs" }, "replicas"])).toEqual([
      "spec",
      "entries",
      1,
      "replicas",
    ])
    expect(indexedPath(BASE, ["spec", "entries", { name: "none" }])).toBeUndefined()
  })

  it("can be removed", () => {
    expect(withChange(BASE, ["spec", "entries", { name: "jobs" }], undefined)).toMatchObject({
      spec: { entries: [{ name: "web" }] },
    })
  })
})

describe("taking changes into a text", () => {
  const text = "spec:\n  entries:\n    - name: web # ours\n      replicas: 2\n    - name: jobs\n"

  it("keeps its comments", () => {
    const theirs = { spec: { entries: [{ name: "web", replicas: 2, startCmd: "x" }, { name: "new" }] } }
    const result = withChanges(text, changesOf(parse(text).value, theirs))
    expect(result).toContain("name: web # ours")
    expect(parse(result).value).toEqual(theirs)
  })
})
