/** How long to wait before the next try: doubling, bounded, with jitter so that many tabs do not come back at once. */

const FIRST_MS = 250
const MOST_MS = 15_000

/** Milliseconds before try `attempt` (0 is the first after a failure); `random` is between 0 and 1. */
export function backoff(attempt: number, random: number): number {
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 10))
  return Math.round(most * (0.5 + random / 2))
}
