import { expect, it } from "vitest"
import { shortDigest, splitAssignmentName } from "./ids"

it("an assignment's name has a stem and a suffix", () => {
  expect(splitAssignmentName("web-main-x2a7cbde")).toEqual({ stem: "web-main", suffix: "x2a7cbde" })
  expect(splitAssignmentName("handmade")).toEqual({ stem: "handmade", suffix: "" })
})

it("a digest is told by its beginning", () => {
  expect(shortDigest(`sha256:${"0123456789abcdef".repeat(4)}`)).toBe("0123456789ab")
})
