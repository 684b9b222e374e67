import { expect, it } from "vitest"
import { middle, shortAssignmentName, shortDigest, shortUid, splitAssignmentName } from "./ids"

it("an assignment's name has a stem and a suffix", () => {
  expect(splitAssignmentName("web-main-x2a7cbde")).toEqual({ stem: "web-main", suffix: "x2a7cbde" })
  expect(splitAssignmentName("handmade")).toEqual({ stem: "handmade", suffix: "" })
})

it("is cut in its stem alone, to what there is room for", () => {
  const name = "a-task-with-quite-a-long-name-of-forty-ch-main-x2a7cbde"
  const short = shortAssignmentName(name, 32)
  expect(short).toHaveLength(32)
  expect(short.endsWith("main-x2a7cbde")).toBe(true)
  expect(short.startsWith("a-task-")).toBe(true)
  expect(shortAssignmentName("web-main-x2a7cbde")).toBe("web-main-x2a7cbde")
  expect(shortAssignmentName("no-suffix-here-but-very-long-indeed-it-is", 20)).toHaveLength(20)
})

it("other ids are cut as each is known", () => {
  expect(middle("abcdefghij", 5)).toBe("ab…ij")
  expect(middle("abc", 5)).toBe("abc")
  expect(shortDigest(`sha256:${"0123456789abcdef".repeat(4)}`)).toBe("0123456789ab")
  expect(shortUid("3d1f0c4e-aaaa-bbbb-cccc-000000000000")).toBe("3d1f0c4e")
})
