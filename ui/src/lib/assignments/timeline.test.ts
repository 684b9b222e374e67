import { describe, expect, it } from "vitest"
import type { Run } from "./runs"
import { barsOf } from "./timeline"

const at = (second: number) => new Date(second * 1000).toISOString()
const run = (from: number, until?: number): Run =>
  until === undefined
    ? { startedAt: at(from), outcome: "running" }
    : { startedAt: at(from), finishedAt: at(until), outcome: "failed" }

describe("barsOf", () => {
  it("draws runs to scale", () => {
    expect(barsOf([run(0, 50), run(60)], 100_000, 200)).toEqual([
      { x: 0, width: 100 },
      { x: 120, width: 80 },
    ])
  })

  it("keeps short ones visible, beside each other and within the line", () => {
    const runs = Array.from({ length: 20 }, (_, index) => run(90 + index / 10, 90 + index / 10 + 0.01))
    const bars = barsOf([run(0, 1), ...runs], 93_000, 300)
    bars.forEach((bar, index) => {
      expect(bar.width).toBeGreaterThanOrEqual(3)
      const next = bars[index + 1]
      expect(bar.x + bar.width).toBeLessThanOrEqual((next?.x ?? 300) + 0.001)
    })
  })

  it("fits many more than there is room for", () => {
    const runs = Array.from({ length: 400 }, (_, index) => run(index, index + 0.5))
    const bars = barsOf(runs, 400_000, 200)
    expect(Math.min(...bars.map(({ x }) => x))).toBeGreaterThanOrEqual(0)
    expect(Math.max(...bars.map(({ x, width }) => x + width))).toBeLessThanOrEqual(200.001)
  })

  it("has nothing to draw of nothing", () => {
    expect(barsOf([], 1, 100)).toEqual([])
  })
})
