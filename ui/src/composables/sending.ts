/** Something that is sent once at a time, and why it failed: for dialogs and forms. */

import { ref, shallowRef } from "vue"

export function useSending() {
  const busy = ref(false)
  const failure = shallowRef<unknown>()

  /** Do it; resolves to whether it was done. What is asked for meanwhile is not. */
  async function send(work: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    failure.value = undefined
    try {
      await work()
      return true
    } catch (error) {
      failure.value = error
      return false
    } finally {
      busy.value = false
    }
  }

  return { busy, failure, send }
}
