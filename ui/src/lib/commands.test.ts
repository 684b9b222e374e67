import { expect, it } from "vitest"
import { historyCommand, quoted } from "./commands"

it("puts a text into a command as one word", () => {
  expect(quoted("http://a/v1?b=c")).toBe("'http://a/v1?b=c'")
  expect(quoted("it's")).toBe("'it'\\''s'")
  expect(quoted("web-1.2")).toBe("web-1.2")
})

it("lets no name do anything of its own", () => {
  expect(historyCommand("assignment", "web-main-abc", "staging")).toBe(
    "plumctl history assignment/web-main-abc -n staging",
  )
  expect(historyCommand("node", "x; rm -r ~")).toBe("plumctl history 'node/x; rm -r ~'")
  expect(historyCommand("assignment", "a", "$(b)")).toBe("plumctl history assignment/a -n '$(b)'")
})
