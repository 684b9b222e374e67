/** Where runs stand on a line of time. Pure. */

import type { Run } from "./runs"

export interface Bar {
  x: number
  width: number
}

/** So wide that one can see and point at it. */
const LEAST = 3
const GAP = 1

/**
 * A bar for each run (oldest first) on a line of `width` px from the first start to `now`. Short ones are drawn wider
 * than they were; so that they do not hide each other they push later ones to the right, and at the end to the left.
 */
export function barsOf(runs: readonly Run[], now: number, width: number): Bar[] {
  const [first] = runs
  if (!first) return []
  const from = Date.parse(first.startedAt)
  const scale = width / Math.max(1, now - from)
  const least = Math.min(LEAST, width / runs.length)
  const gap = runs.length * (LEAST + GAP) > width ? 0 : GAP
  let free = 0
  const bars = runs.map((run, index) => {
    const x = Math.max((Date.parse(run.startedAt) - from) * scale, free)
    const next = runs[index + 1]
    const end = endOf(run, next, now)
    const bar = { x, width: Math.max((end - from) * scale - x, least) }
    free = x + bar.width + gap
    return bar
  })
  let limit = width
  for (const bar of bars.toReversed()) {
    if (bar.x + bar.width <= limit) break
    bar.width = Math.max(least, Math.min(bar.width, limit - bar.x))
    bar.x = Math.max(0, limit - bar.width)
    limit = bar.x - gap
  }
  return bars
}

function endOf(run: Run, next: Run | undefined, now: number): number {
  if (run.finishedAt) return Date.parse(run.finishedAt)
  return next && run.outcome !== "running" ? Date.parse(next.startedAt) : now
}
