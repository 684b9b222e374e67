import { expect, it } from "vitest"
import { each } from "./each"

it("does all of them, a few at a time, and says which failed", async () => {
  let running = 0
  let most = 0
  const done: number[] = []
  const { failures, tried } = await each([1, 2, 3, 4, 5, 6, 7, 8, 9], async (item) => {
    running += 1
    most = Math.max(most, running)
    await Promise.resolve()
    running -= 1
    if (item % 4 === 0) throw new Error(`no ${item}`)
    done.push(item)
  })
  expect(most).toBe(4)
  expect(done.sort()).toEqual([1, 2, 3, 5, 6, 7, 9])
  expect(tried).toBe(9)
  expect(failures).toEqual([
    { item: 4, error: new Error("no 4") },
    { item: 8, error: new Error("no 8") },
  ])
})

it("tells how far it is with many, and ends when it is asked to", async () => {
  const stop = new AbortController()
  const told: number[] = []
  const items = Array.from({ length: 30 }, (_, at) => at)
  const tell = (done: number, all: number) => {
    told.push(done)
    expect(all).toBe(30)
    if (done === 10) stop.abort()
  }
  const { tried } = await each(items, () => Promise.resolve(), { tell, signal: stop.signal })
  // Those that were on their way are finished.
  expect(tried).toBeGreaterThanOrEqual(10)
  expect(tried).toBeLessThan(15)
  expect(told).toEqual(Array.from({ length: tried }, (_, at) => at + 1))
})
