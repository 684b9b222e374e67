/** State of a page that lives in its address, so that it can be shared, reloaded and gone back to. */

import { computed, type WritableComputedRef } from "vue"
import { useRoute, useRouter, type LocationQueryRaw } from "vue-router"

/** What is to be written with the next change of the address: several changes of one moment are one. */
let pending: LocationQueryRaw | undefined

/** One query parameter as a string; empty (or `fallback`) is not written. Changes replace the history entry. */
export function useQuery(name: string, fallback = ""): WritableComputedRef<string> {
  const route = useRoute()
  const router = useRouter()
  return computed({
    get: () => {
      const found = route.query[name]
      const text = Array.isArray(found) ? found[0] : found
      return text ?? fallback
    },
    set: (text) => {
      const isFirst = pending === undefined
      const { hash, path } = route
      // Vue Router leaves out what is undefined.
      pending = { ...(pending ?? route.query), [name]: text && text !== fallback ? text : undefined }
      if (!isFirst) return
      queueMicrotask(() => {
        const query = pending ?? {}
        pending = undefined
        void router.replace({ path, query, hash })
      })
    },
  })
}

/** A query parameter that holds several words, separated by commas. */
export function useQueryWords(name: string): WritableComputedRef<string[]> {
  const text = useQuery(name)
  return computed({
    get: () => (text.value ? text.value.split(",") : []),
    set: (words) => (text.value = words.join(",")),
  })
}
