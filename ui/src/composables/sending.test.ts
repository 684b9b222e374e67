import { expect, it } from "vitest"
import { useSending } from "./sending"

it("does one at a time, and keeps why it failed until the next try", async () => {
  const { busy, failure, send } = useSending()
  let fail: (error: Error) => void = () => undefined
  const first = send(() => new Promise((_, reject) => (fail = reject)))
  expect(busy.value).toBe(true)
  expect(await send(() => Promise.resolve())).toBe(false)
  fail(new Error("no"))
  expect([await first, busy.value]).toEqual([false, false])
  expect(failure.value).toEqual(new Error("no"))
  expect([await send(() => Promise.resolve()), failure.value]).toEqual([true, undefined])
})
