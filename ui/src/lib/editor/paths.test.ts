import { describe, expect, it } from "vitest"
import { formatPath, parsePath } from "./paths"

describe("paths", () => {
  it.each([
    ["spec.entries[0].ports[1].name", ["spec", "entries", 0, "ports", 1, "name"]],
    ["spec.entries[0].nodeReplicas[node.A]", ["spec", "entries", 0, "nodeReplicas", "node.A"]],
    ["metadata.labels[plum.dev/x]", ["metadata", "labels", "plum.dev/x"]],
    ["", []],
  ])("%s", (text, path) => {
    expect(parsePath(text)).toEqual(path)
    expect(formatPath(path)).toBe(text)
  })
})
