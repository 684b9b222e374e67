/** Live objects in components. */

import { computed, onScopeDispose, type ComputedRef, type MaybeRefOrGetter, toValue } from "vue"
import type { Plural } from "@/lib/api/kinds"
import type { ObjectOf, Status } from "@/lib/api/types"
import { follow, keptOf, release } from "@/lib/live/store"

export interface LiveList<T> {
  /** All of the kind, in all namespaces, in no order; a new array when something changed. */
  items: ComputedRef<readonly T[]>
  /** Whether the first answer is here: before that an empty list means nothing. */
  loaded: ComputedRef<boolean>
  truncated: ComputedRef<boolean>
  refused: ComputedRef<Status | undefined>
  /** By `namespace/name`, or the name for kinds without namespaces. */
  byKey(key: string): T | undefined
}

/** All objects of a kind, kept true while the component is shown. */
export function useList<P extends Plural>(plural: P): LiveList<ObjectOf[P]> {
  follow(plural)
  onScopeDispose(() => release(plural))
  const kept = keptOf(plural)
  return {
    items: computed(() => [...kept.value.objects.values()] as unknown as ObjectOf[P][]),
    loaded: computed(() => kept.value.loaded),
    truncated: computed(() => kept.value.truncated),
    refused: computed(() => kept.value.refused),
    byKey: (key) => kept.value.objects.get(key) as unknown as ObjectOf[P] | undefined,
  }
}

/**
 * Whether all of them are here, or refused: what is said of objects of one kind by those of another, as who uses an
 * app, is not said before both are known.
 */
export function allLoaded(...lists: readonly Pick<LiveList<unknown>, "loaded">[]): ComputedRef<boolean> {
  return computed(() => lists.every(({ loaded }) => loaded.value))
}

export interface LiveObject<T> {
  object: ComputedRef<T | undefined>
  loaded: ComputedRef<boolean>
}

/** One object, kept true while the component is shown; undefined while it is not there. */
export function useObject<P extends Plural>(
  plural: P,
  name: MaybeRefOrGetter<string>,
  namespace?: MaybeRefOrGetter<string | undefined>,
): LiveObject<ObjectOf[P]> {
  const list = useList(plural)
  return {
    object: computed(() => {
      const space = toValue(namespace)
      return list.byKey(space ? `${space}/${toValue(name)}` : toValue(name))
    }),
    loaded: list.loaded,
  }
}
