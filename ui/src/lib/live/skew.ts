/** How far the server's clock is ahead of ours, by the dates of its answers. */

/** Clocks differ a little, and dates are whole seconds: less than this is no difference. */
const LEAST_MS = 5_000

export class Skew {
  /** Milliseconds; 0 for a difference that does not matter. */
  ahead = 0

  /** Take an answer's date; whether that says anything new. */
  read(date: string | null, now: number): boolean {
    const told = Date.parse(date ?? "")
    if (Number.isNaN(told)) return false
    const found = told - now
    const ahead = Math.abs(found) < LEAST_MS ? 0 : found
    if (ahead !== 0 && this.ahead !== 0 && Math.abs(ahead - this.ahead) < LEAST_MS) return false
    if (ahead === this.ahead) return false
    this.ahead = ahead
    return true
  }
}
