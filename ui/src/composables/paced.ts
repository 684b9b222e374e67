/** Values that are reckoned anew at most so often: what is drawn of thousands of objects need not follow each of them. */

import { onScopeDispose, ReactiveEffect, shallowRef, watch, type ShallowRef, type WatchSource } from "vue"

/**
 * What `reckon` gives: at once, and anew after changes of what it reads, at most every `milliseconds`. The last change
 * is never left out. When `turn` changes it is reckoned at once: what has just been loaded is not to be shown as empty.
 */
export function usePaced<T>(
  reckon: () => T,
  milliseconds = 500,
  turn?: WatchSource,
): Readonly<ShallowRef<T>> {
  let timer: ReturnType<typeof setTimeout> | undefined
  let last = performance.now()
  const effect = new ReactiveEffect(reckon)
  effect.scheduler = () => {
    timer ??= setTimeout(renew, Math.max(0, last + milliseconds - performance.now()))
  }
  const value = shallowRef(effect.run())

  function renew(): void {
    clearTimeout(timer)
    timer = undefined
    last = performance.now()
    if (effect.dirty) value.value = effect.run()
  }

  if (turn) watch(turn, renew)
  onScopeDispose(() => {
    clearTimeout(timer)
    effect.stop()
  })
  return value
}
