/** Who made objects, as far as the server's history reaches. */

import { shallowRef, watch, type Ref } from "vue"
import { json } from "@/lib/api/client"
import { objectPath, type Plural } from "@/lib/api/kinds"
import type { History } from "@/lib/api/types"

export interface Maker {
  user: string
  /** The field manager: the program it was made with. */
  manager: string
}

/** Of lists that are longer only the first so many are looked up. */
const MOST = 30

/**
 * The makers of objects, by uid; asked for once each. Nothing: not known yet; null: it was made before the history
 * begins.
 */
export function useMakers(
  plural: Plural,
  objects: () => readonly { metadata: { name: string; namespace?: string; uid: string } }[],
): Ref<ReadonlyMap<string, Maker | null>> {
  const makers = shallowRef<ReadonlyMap<string, Maker | null>>(new Map())
  const asked = new Set<string>()
  async function ask(name: string, namespace: string | undefined, uid: string): Promise<void> {
    const path = `${objectPath(plural, name, namespace, "history")}?limit=20`
    const found = await json<History>(path).catch(() => undefined)
    if (!found) return
    const made = found.items.find((item) => item.type === "ADDED" && item.uid === uid)
    makers.value = new Map(makers.value).set(uid, made ? { user: made.user, manager: made.manager } : null)
  }
  watch(
    objects,
    (list) => {
      for (const { metadata } of list.slice(0, MOST)) {
        if (asked.has(metadata.uid)) continue
        asked.add(metadata.uid)
        void ask(metadata.name, metadata.namespace, metadata.uid)
      }
    },
    { immediate: true },
  )
  return makers
}
