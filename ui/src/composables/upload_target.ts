/** Where uploads go. */

import { computed, ref, type ComputedRef, type WritableComputedRef } from "vue"
import { DEFAULT_NAMESPACE } from "@/lib/addresses"
import type { App } from "@/lib/api/types"
import { useNamespaces } from "./namespaces"
import { useUploads } from "./uploads"

export interface UploadTarget {
  namespaces: ComputedRef<readonly string[]>
  namespace: WritableComputedRef<string>
  upload: (files: File[]) => void
}

/** `apps` are those that there are; `usual` is the namespace before anybody chose one. */
export function useUploadTarget(apps: () => readonly App[], usual: () => string | undefined): UploadTarget {
  const namespaces = useNamespaces()
  const { add } = useUploads()
  const chosen = ref("")
  const namespace = computed({
    get: () =>
      [chosen.value, usual()].find((one) => one && namespaces.value.includes(one)) ?? DEFAULT_NAMESPACE,
    set: (wanted: string) => (chosen.value = wanted),
  })

  function upload(files: File[]): void {
    const there = apps().filter(({ metadata }) => metadata.namespace === namespace.value)
    add(files, namespace.value, {
      names: new Set(there.map(({ metadata }) => metadata.name)),
      versions: new Set(there.map(({ spec }) => `${spec.name} ${spec.version}`)),
    })
  }

  return { namespaces, namespace, upload }
}
