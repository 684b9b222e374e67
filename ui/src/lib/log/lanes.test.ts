import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { Lanes, type Slots, type Turn } from "./lanes"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const forever = new AbortController().signal

/** One place that all who are given it share. */
function oneSlot(): Slots {
  const queue: (() => void)[] = []
  let isTaken = false
  const next = () => {
    isTaken = queue.length > 0
    queue.shift()?.()
  }
  return {
    take: (signal) =>
      new Promise((resolve, reject) => {
        const enter = () => resolve(next)
        signal.addEventListener("abort", () => {
          queue.splice(queue.indexOf(enter), queue.includes(enter) ? 1 : 0)
          reject(new Error("aborted"))
        })
        queue.push(enter)
        if (!isTaken) next()
      }),
    isWanted: () => Promise.resolve(queue.length > 0),
  }
}

describe("Lanes", () => {
  it("makes room for another page that waits, after a whole turn", async () => {
    const slots = oneSlot()
    const first = await new Lanes(4, 1000, slots).take(forever)
    let second: Turn | undefined
    void new Lanes(4, 1000, slots).take(forever).then((turn) => (second = turn))
    await vi.advanceTimersByTimeAsync(900)
    expect(first.signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(200)
    expect([first.signal.aborted, second]).toEqual([true, undefined])
    first.end()
    await vi.advanceTimersByTimeAsync(3000)
    expect(second?.signal.aborted).toBe(false)
  })

  it("asks for no place of other pages while nobody looks, nor for who is gone", async () => {
    const slots = oneSlot()
    const first = await new Lanes(1, 1000, slots).take(forever)
    const lanes = new Lanes(1, 1000, slots)
    const gone = new AbortController()
    const never = vi.fn()
    void lanes.take(gone.signal).then(never)
    await vi.advanceTimersByTimeAsync(0)
    lanes.open(false)
    await vi.advanceTimersByTimeAsync(0)
    expect(await slots.isWanted()).toBe(false)
    lanes.open(true)
    await vi.advanceTimersByTimeAsync(0)
    expect(await slots.isWanted()).toBe(true)
    gone.abort()
    await vi.advanceTimersByTimeAsync(0)
    first.end()
    await vi.advanceTimersByTimeAsync(2000)
    expect(never).not.toHaveBeenCalled()
    expect(await slots.isWanted()).toBe(false)
  })

  it("lets so many in, and no turn ends while nobody waits", async () => {
    const lanes = new Lanes(2, 1000)
    const turns = await Promise.all([lanes.take(forever), lanes.take(forever)])
    await vi.advanceTimersByTimeAsync(5000)
    expect(turns.map(({ signal }) => signal.aborted)).toEqual([false, false])
  })

  it("ends a turn that was long enough when another waits", async () => {
    const lanes = new Lanes(1, 1000)
    const first = await lanes.take(forever)
    let second: Turn | undefined
    void lanes.take(forever).then((turn) => (second = turn))
    await vi.advanceTimersByTimeAsync(900)
    expect(first.signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(200)
    expect([first.signal.aborted, second]).toEqual([true, undefined])
    first.end()
    await vi.advanceTimersByTimeAsync(0)
    expect(second?.signal.aborted).toBe(false)
  })

  it("closes all while nobody looks", async () => {
    const lanes = new Lanes(1, 1000)
    const first = await lanes.take(forever)
    lanes.open(false)
    expect(first.signal.aborted).toBe(true)
    first.end()
    let second: Turn | undefined
    void lanes.take(forever).then((turn) => (second = turn))
    await vi.advanceTimersByTimeAsync(0)
    expect(second).toBeUndefined()
    lanes.open(true)
    await vi.advanceTimersByTimeAsync(0)
    expect(second).toBeDefined()
  })

  it("forgets who does not want a turn any more", async () => {
    const lanes = new Lanes(1, 1000)
    const first = await lanes.take(forever)
    const gone = new AbortController()
    const never = vi.fn()
    void lanes.take(gone.signal).then(never)
    gone.abort()
    first.end()
    await vi.advanceTimersByTimeAsync(2000)
    expect(never).not.toHaveBeenCalled()
    expect((await lanes.take(forever)).signal.aborted).toBe(false)
  })
})
