/** The present, for what is drawn relative to it: one timer for the whole page. */

import { computed, onScopeDispose, readonly, ref, type Ref } from "vue"

const now = ref(Date.now())
let users = 0
let timer: ReturnType<typeof setInterval> | undefined

/**
 * Milliseconds since 1970, anew every second while the tab is looked at; for what is dear to compute only every so
 * many `seconds`.
 */
export function useNow(seconds = 1): Readonly<Ref<number>> {
  users += 1
  timer ??= setInterval(() => {
    if (!document.hidden) now.value = Date.now()
  }, 1000)
  onScopeDispose(() => {
    users -= 1
    if (users) return
    clearInterval(timer)
    timer = undefined
  })
  if (seconds <= 1) return readonly(now)
  const step = seconds * 1000
  return computed(() => Math.ceil(now.value / step) * step)
}
