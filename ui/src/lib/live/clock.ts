/** The present as the server has it: times of objects are the server's, and the browser's clock may be wrong. */

import { ref } from "vue"

/** By how many milliseconds the server's clock is ahead; 0 for a difference that does not matter. */
export const ahead = ref(0)

/** Milliseconds since 1970. */
export function present(): number {
  return Date.now() + ahead.value
}
