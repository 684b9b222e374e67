/** The namespaces that people put things into. */

import { computed, type ComputedRef } from "vue"
import { DEFAULT_NAMESPACE } from "@/lib/addresses"
import { useList } from "./live"

/** Namespaces that hold what the server keeps for itself. */
const SERVERS = /^(kube-|plum-)/

/** Their names, in order; never empty. */
export function useNamespaces(): ComputedRef<readonly string[]> {
  const { items } = useList("namespaces")
  return computed(() => {
    const names = items.value
      .filter(({ metadata }) => !metadata.deletionTimestamp && !SERVERS.test(metadata.name))
      .map(({ metadata }) => metadata.name)
      .sort()
    return names.length ? names : [DEFAULT_NAMESPACE]
  })
}
