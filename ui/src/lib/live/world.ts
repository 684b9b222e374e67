/** What the watcher needs of the world around it, and the world that browsers have. */

import { delay } from "../delay"

export interface World {
  fetch(path: string, init: { headers: Record<string, string>; signal: AbortSignal }): Promise<Response>
  /** Resolves after so many milliseconds, or at once when the signal is aborted. */
  delay(milliseconds: number, signal: AbortSignal): Promise<void>
  now(): number
  random(): number
}

export const browserWorld: World = {
  fetch: (path, init) => fetch(path, { ...init, cache: "no-store", credentials: "same-origin" }),
  delay,
  now: () => Date.now(),
  random: () => Math.random(),
}
