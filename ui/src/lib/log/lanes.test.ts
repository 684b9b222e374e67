import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { Lanes, type Turn } from "./lanes"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const forever = new AbortController().signal

describe("Lanes", () => {
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
