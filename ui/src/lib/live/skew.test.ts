import { expect, it } from "vitest"
import { Skew } from "./skew"

const NOON = Date.parse("2026-01-01T12:00:00Z")

it("tells of clocks that differ, and not of what seconds and the network make of the same", () => {
  const skew = new Skew()
  expect(skew.read(null, NOON)).toBe(false)
  expect(skew.read("not a date", NOON)).toBe(false)
  expect(skew.read("Thu, 01 Jan 2026 12:00:03 GMT", NOON)).toBe(false)
  expect(skew.ahead).toBe(0)
  expect(skew.read("Thu, 01 Jan 2026 13:00:00 GMT", NOON)).toBe(true)
  expect(skew.ahead).toBe(3_600_000)
  expect(skew.read("Thu, 01 Jan 2026 13:00:01 GMT", NOON)).toBe(false)
  // The person has set the clock right.
  expect(skew.read("Thu, 01 Jan 2026 12:00:00 GMT", NOON)).toBe(true)
  expect(skew.ahead).toBe(0)
})
