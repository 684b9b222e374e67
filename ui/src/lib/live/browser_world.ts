/** The watcher's world as browsers have it. */

import { delay } from "../delay"
import type { World } from "./watcher"

export const browserWorld: World = {
  fetch: (path, init) => fetch(path, { ...init, cache: "no-store", credentials: "same-origin" }),
  delay,
  now: () => Date.now(),
  random: () => Math.random(),
}
