/** The watcher's world as browsers have it. */

import type { World } from "./watcher"

export const browserWorld: World = {
  fetch: (path, init) => fetch(path, { ...init, cache: "no-store", credentials: "same-origin" }),
  delay: (milliseconds, signal) =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener("abort", done)
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      signal.addEventListener("abort", done)
    }),
  now: () => Date.now(),
  random: () => Math.random(),
}
