import { expect, it } from "vitest"
import { remaining, sampled, speed, type Sample } from "./speed"

const after = (...samples: Sample[]): Sample[] => samples.reduce<Sample[]>(sampled, [])

it("knows no speed from one moment", () => {
  expect(speed([])).toBeUndefined()
  expect(speed(after({ at: 0, sent: 0 }))).toBeUndefined()
})

it("is the mean of the last seconds", () => {
  const samples = after(
    { at: 0, sent: 0 },
    { at: 10_000, sent: 1000 },
    { at: 12_000, sent: 3000 },
    { at: 14_000, sent: 5000 },
    { at: 16_000, sent: 7000 },
  )
  expect(speed(samples)).toBe(1000)
  expect(samples).toHaveLength(4)
})

it("says how long the rest takes", () => {
  expect(remaining(10_000, 4000, 2000)).toBe(3000)
  expect(remaining(10_000, 4000, 0)).toBeUndefined()
  expect(remaining(10_000, 4000, undefined)).toBeUndefined()
})
