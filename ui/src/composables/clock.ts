/** The present, for what is drawn relative to it: one timer for the whole page. */

import { onScopeDispose, readonly, ref, type Ref } from "vue"

const now = ref(Date.now())
let users = 0
let timer: ReturnType<typeof setInterval> | undefined

/** Milliseconds since 1970, anew every second while the tab is looked at. */
export function useNow(): Readonly<Ref<number>> {
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
  return readonly(now)
}
