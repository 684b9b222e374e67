import { describe, expect, it } from "vitest"
import { draftsOf, keyProblem, labelPatch, problemsOf, valueProblem } from "./labels"

describe("keyProblem", () => {
  it.each(["zone", "a", "example.com/zone", "A_b.c-1", "x".repeat(63)])("takes %s", (key) => {
    expect(keyProblem(key)).toBeUndefined()
  })

  it.each([
    ["", "empty"],
    ["-zone", "key"],
    ["zone.", "key"],
    ["a b", "key"],
    ["区域", "key"],
    ["x".repeat(64), "key"],
    ["example.com/", "key"],
    ["/zone", "prefix"],
    ["Example.com/zone", "prefix"],
    ["a/b/c", "key"],
    [`${"a".repeat(254)}/b`, "prefix"],
  ])("refuses %s", (key, problem) => {
    expect(keyProblem(key)).toBe(problem)
  })
})

it("takes values of 63 letters, digits and inner marks, and none", () => {
  expect(["", "a", "v1.2_3-x", "x".repeat(63)].map(valueProblem)).toEqual(Array(4).fill(undefined))
  expect(["a b", "-a", "a.", "x".repeat(64), "é"].map(valueProblem)).toEqual(Array(5).fill("value"))
})

it("finds the problems of rows, and leaves rows without text alone", () => {
  const rows = [
    { key: "zone", value: "a" },
    { key: "zone", value: "b" },
    { key: "", value: "" },
    { key: "", value: "x" },
    { key: "ok", value: "no good" },
  ]
  expect(problemsOf(rows)).toEqual(["double", "double", undefined, "empty", "value"])
})

describe("labelPatch", () => {
  const before = { zone: "a", disk: "ssd" }

  it("is nothing where nothing changes", () => {
    expect(labelPatch(before, [...draftsOf(before), { key: "", value: "" }])).toBeUndefined()
    expect(labelPatch(undefined, [])).toBeUndefined()
  })

  it("adds, changes and takes away", () => {
    const drafts = [
      { key: "zone", value: "b" },
      { key: "gpu", value: "" },
    ]
    expect(labelPatch(before, drafts)).toEqual({ disk: null, zone: "b", gpu: "" })
  })
})
