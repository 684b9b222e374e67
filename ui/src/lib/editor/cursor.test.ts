import { describe, expect, it } from "vitest"
import { cursorAt } from "./cursor"

/** The cursor at the mark `|`. */
function at(text: string) {
  const offset = text.indexOf("|")
  return cursorAt(text.replace("|", ""), offset)
}

describe("the cursor", () => {
  it("knows the mapping that a key is written in", () => {
    const found = at(
      "kind: Task\nspec:\n  entries:\n    - name: main\n      re|\n      app:\n        name: shop\n",
    )
    expect(found?.path).toEqual(["spec", "entries", 0])
    expect(found).toMatchObject({ kind: "key", prefix: "re" })
    expect(found?.beside).toEqual(["name", "app"])
  })

  it("counts items, also after nested ones", () => {
    const text = [
      "spec:",
      "  entries:",
      "    - name: a",
      "      ports:",
      "        - name: http",
      "        - name: admin",
      "    - name: b",
      "      ports:",
      "        - |",
    ].join("\n")
    expect(at(text)?.path).toEqual(["spec", "entries", 1, "ports", 0])
  })

  it("reads lists at the depth of their key", () => {
    const text = "spec:\n  entries:\n  - name: a\n  - name: b\n    stopSignal: |\n  state: Running\n"
    expect(at(text)).toMatchObject({ kind: "value", path: ["spec", "entries", 1, "stopSignal"], prefix: "" })
  })

  it("knows a value on the line of a list mark", () => {
    expect(at("spec:\n  entries:\n    - restartPolicy: On|\n")).toMatchObject({
      kind: "value",
      path: ["spec", "entries", 0, "restartPolicy"],
      prefix: "On",
    })
  })

  it("is at the top where nothing is around it", () => {
    expect(at("|")).toMatchObject({ kind: "key", path: [], prefix: "" })
    expect(at("kind: Task\nsp|")?.beside).toEqual(["kind"])
  })

  it("passes over comments and blank lines", () => {
    expect(at("spec:\n  # what\n\n  entries:\n    # first\n    - name: a\n\n      |")?.path).toEqual([
      "spec",
      "entries",
      0,
    ])
    expect(at("spec: # on|")).toBeUndefined()
  })
})
