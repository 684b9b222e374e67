/** Which rows are drawn while some are selected. Pure. */

/** More than this is not kept drawn for the sake of a selection. */
const MOST = 3000

/** The rows in sight together with those that are selected, without a gap between. */
export function heldRange(sight: readonly number[], from: number, to: number, count: number): number[] {
  const first = Math.max(0, Math.min(from, sight[0] ?? from))
  const last = Math.min(count - 1, Math.max(to, sight.at(-1) ?? to))
  if (last - first > MOST) return [...sight]
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at)
}
