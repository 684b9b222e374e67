/** How a person likes to read logs; kept in the browser. */

import { ref, watch, type Ref } from "vue"
import { keep, kept } from "../storage"

function choice(key: string): Ref<boolean> {
  const value = ref(kept("browser", key) !== "false")
  watch(value, (chosen) => keep("browser", key, String(chosen)))
  return value
}

export const wrapsLines = choice("plum.log.wrap")
export const showsTimes = choice("plum.log.times")
