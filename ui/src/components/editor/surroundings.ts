/** What the editor offers, from the live objects. */

import { allLoaded, useList } from "@/composables/live"
import { useNamespaces } from "@/composables/namespaces"
import type { KnownFields } from "@/lib/editor/problems"
import { fieldsOf } from "@/lib/editor/schema"
import type { Surroundings } from "./draft"
import { useTaskSchema } from "./task_schema"

export function useTaskSurroundings(isStored: boolean): Surroundings {
  const apps = useList("apps")
  const nodes = useList("nodes")
  const tasks = useList("tasks")
  return {
    apps: apps.items,
    nodes: nodes.items,
    taken: (namespace) =>
      tasks.items.value
        .filter(({ metadata }) => metadata.namespace === namespace)
        .map(({ metadata }) => metadata.name),
    namespaces: useNamespaces(),
    loaded: allLoaded(apps, nodes, tasks),
    schema: useTaskSchema(),
    isStored,
  }
}

/** The fields that the server's schema has at a path. */
export function knownFields(surroundings: Surroundings): KnownFields {
  return (path) => fieldsOf(surroundings.schema.value?.at(path)).map(({ name }) => name)
}
