import { expect, it } from "vitest"
import { questions } from "./newest"

it("tells an answer that was overtaken", () => {
  const begin = questions()
  const isFirstNewest = begin()
  expect(isFirstNewest()).toBe(true)
  const isSecondNewest = begin()
  expect([isFirstNewest(), isSecondNewest()]).toEqual([false, true])
})
