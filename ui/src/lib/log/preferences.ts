/** How a person likes to read logs; kept in the browser. */

import { ref, watch, type Ref } from "vue"

function kept(key: string, otherwise: boolean): Ref<boolean> {
  const value = ref(otherwise)
  try {
    const found = localStorage.getItem(key)
    if (found !== null) value.value = found === "true"
  } catch {
    return value // storage may be forbidden: it holds as long as the page does
  }
  watch(value, (chosen) => {
    try {
      localStorage.setItem(key, String(chosen))
    } catch {
      // it holds as long as the page does
    }
  })
  return value
}

export const wrapsLines = kept("plum.log.wrap", true)
export const showsTimes = kept("plum.log.times", true)
