import { expect, it } from "vitest"
import { fitted, inserted, moved, removed } from "./row_keys"

it("keeps the keys of rows that stay, wherever they go", () => {
  const [a = 0, b = 0, c = 0] = fitted([], 3)
  expect(new Set([a, b, c]).size).toBe(3)
  expect(moved([a, b, c], 0, 2)).toEqual([b, c, a])
  expect(moved([a, b, c], 2, 1)).toEqual([a, c, b])
  expect(removed([a, b, c], 1)).toEqual([a, c])
  const [first, made, ...rest] = inserted([a, b, c], 1)
  expect([first, ...rest]).toEqual([a, b, c])
  expect([a, b, c]).not.toContain(made)
})

it("has a new key for each row that came otherwise", () => {
  const keys = fitted([], 2)
  expect(fitted(keys, 3).slice(0, 2)).toEqual(keys)
  expect(fitted(keys, 1)).toEqual(keys.slice(0, 1))
})
