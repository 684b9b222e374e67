/** Keys that work where nobody is typing: single ones, and pairs such as `g t`. */

import { onMounted, onScopeDispose } from "vue"

type Keys = Record<string, (event: KeyboardEvent) => void>

const PAIR_MS = 1200

/** Whether keys are text now. */
function isTyping(event: KeyboardEvent): boolean {
  const target = event.target
  if (!(target instanceof HTMLElement)) return false
  if (target instanceof HTMLInputElement) return !/^(checkbox|radio|button|submit)$/.test(target.type)
  return target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)
}

/** Call a function at its keys while the component is shown. `whileTyping` keys work in fields too. */
export function useShortcuts(keys: Keys, options: { whileTyping?: boolean } = {}): void {
  let first = ""
  let at = 0
  function heard(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    // What is typed into an input method is no key yet.
    if (event.isComposing) return
    if (isTyping(event) && !options.whileTyping) return
    if (
      document.querySelector(".el-overlay:not([style*='display: none']) [role='dialog']") &&
      event.key !== "Escape"
    ) {
      return
    }
    const pair = first && event.timeStamp - at < PAIR_MS ? `${first} ${event.key}` : ""
    const action = (pair && keys[pair]) || keys[event.key]
    first = event.key
    at = event.timeStamp
    if (!action) return
    event.preventDefault()
    first = ""
    action(event)
  }
  onMounted(() => window.addEventListener("keydown", heard))
  onScopeDispose(() => window.removeEventListener("keydown", heard))
}
