/** Places that all pages of the browser share, by its locks. */

import type { Slots } from "./lanes"

/** `count` places of that name; undefined where the browser has no locks (pages that came over plain http from afar). */
export function tabSlots(name: string, count: number): Slots | undefined {
  const locks = (navigator as Partial<Navigator>).locks
  if (!locks) return undefined
  const prefix = `${name}.`
  return {
    take: (signal) =>
      new Promise((resolve, reject) => {
        const others = new AbortController()
        let isTaken = false
        if (signal.aborted) return reject(new DOMException("", "AbortError"))
        signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")), { once: true })
        for (let number = 0; number < count; number += 1) {
          const asked = { signal: AbortSignal.any([signal, others.signal]) }
          locks
            .request(`${prefix}${number}`, asked, () => {
              // The first that is free will do; one that comes at the same moment is given back.
              if (isTaken || signal.aborted) return undefined
              isTaken = true
              others.abort()
              return new Promise<void>((release) => resolve(() => release()))
            })
            .catch(() => undefined)
        }
      }),
    isWanted: async () => {
      const { pending = [] } = await locks.query()
      return pending.some((one) => one.name?.startsWith(prefix))
    },
  }
}
