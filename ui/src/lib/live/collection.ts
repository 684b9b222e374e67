/**
 * What is known of one kind: objects by key. Collections are values: applying events makes a new one, and an
 * object that did not change stays the same object, so that what is drawn of it is not drawn again.
 */

export interface ApiObject {
  kind?: string
  metadata: {
    name: string
    namespace?: string
    uid: string
    resourceVersion: string
    managedFields?: unknown
  }
}

export type Collection<T extends ApiObject = ApiObject> = ReadonlyMap<string, T>

export type WatchEvent<T extends ApiObject = ApiObject> = {
  type: "ADDED" | "MODIFIED" | "DELETED"
  object: T
}

/** The key of an object within its kind: `namespace/name`, or the name where there are no namespaces. */
export function keyOf(object: ApiObject): string {
  const { namespace, name } = object.metadata
  return namespace ? `${namespace}/${name}` : name
}

/** Versions are decimal numbers of the one global counter (DESIGN 2); Plum promises that they grow. */
export function versionOf(object: ApiObject): number {
  return Number(object.metadata.resourceVersion)
}

/**
 * Apply one event. An event that is older than what is known changes nothing: streams may repeat events after a
 * break, in order, and an object that was deleted and made again has a higher version than its predecessor's end.
 */
export function applyEvent<T extends ApiObject>(
  collection: Collection<T>,
  event: WatchEvent<T>,
): Collection<T> {
  return applyEvents(collection, [event])
}

/** Apply events in their order; one copy of the map however many there are, none when nothing changes. */
export function applyEvents<T extends ApiObject>(
  collection: Collection<T>,
  events: Iterable<WatchEvent<T>>,
): Collection<T> {
  let made: Map<string, T> | undefined
  for (const { type, object } of events) {
    const key = keyOf(object)
    const known = (made ?? collection).get(key)
    if (known && versionOf(object) <= versionOf(known)) continue
    if (type === "DELETED") {
      if (!known) continue
      made ??= new Map(collection)
      made.delete(key)
    } else {
      made ??= new Map(collection)
      made.set(key, object)
    }
  }
  return made ?? collection
}

/** A collection of what a list returned. */
export function collectionOf<T extends ApiObject>(objects: Iterable<T>): Collection<T> {
  return new Map(Array.from(objects, (object) => [keyOf(object), object]))
}

/** The object without the bookkeeping of field managers, which is half of its size and which no page shows. */
export function trimmed<T extends ApiObject>(object: T): T {
  delete object.metadata.managedFields
  return object
}
