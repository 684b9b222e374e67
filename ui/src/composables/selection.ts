/** Which rows of a table are chosen. */

import { computed, ref, type WritableComputedRef } from "vue"
import { useQueryWords } from "./query"

/** Addresses have a length that browsers and proxies still take: a larger selection lives in the page alone. */
const MOST_IN_ADDRESS = 40

/** The keys of the chosen rows, in the address (`sel`) while they are few enough. For `v-model:selected`. */
export function useSelection(name = "sel"): WritableComputedRef<ReadonlySet<string>> {
  const words = useQueryWords(name)
  const many = ref<ReadonlySet<string>>()
  return computed({
    get: () => many.value ?? new Set(words.value),
    set: (keys) => {
      many.value = keys.size > MOST_IN_ADDRESS ? keys : undefined
      words.value = keys.size > MOST_IN_ADDRESS ? [] : [...keys]
    },
  })
}
