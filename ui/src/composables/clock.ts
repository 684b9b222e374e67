/** The present, for what is drawn relative to it: one timer for the whole page. */

import { computed, onScopeDispose, ref, watch, type ComputedRef } from "vue"
import { ahead, present } from "@/lib/live/clock"

const now = ref(present())
let users = 0
let timer: ReturnType<typeof setInterval> | undefined

function tick(): void {
  if (!document.hidden) now.value = present()
}

watch(ahead, tick)

/**
 * Milliseconds since 1970, anew every second while the tab is looked at; with `step` only every so many seconds, for
 * what is costly to reckon anew.
 */
export function useNow(step = 1): ComputedRef<number> {
  users += 1
  if (users === 1) {
    now.value = present()
    timer = setInterval(tick, 1000)
    document.addEventListener("visibilitychange", tick)
  }
  onScopeDispose(() => {
    users -= 1
    if (users) return
    clearInterval(timer)
    document.removeEventListener("visibilitychange", tick)
  })
  const milliseconds = step * 1000
  return computed(() => (step === 1 ? now.value : Math.ceil(now.value / milliseconds) * milliseconds))
}
