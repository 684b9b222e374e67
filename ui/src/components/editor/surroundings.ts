/** What the editor offers, from the live objects. */

import { computed } from "vue"
import { DEFAULT_NAMESPACE } from "@/lib/addresses"
import { useList } from "@/composables/live"
import type { KnownFields } from "@/lib/editor/problems"
import { fieldsOf } from "@/lib/editor/schema"
import type { Surroundings } from "./draft"
import { useTaskSchema } from "./task_schema"

/** Namespaces that hold what the server keeps for itself. */
const SERVERS = /^(kube-|plum-)/

export function useTaskSurroundings(isStored: boolean): Surroundings {
  const apps = useList("apps")
  const nodes = useList("nodes")
  const tasks = useList("tasks")
  const namespaces = useList("namespaces")
  return {
    apps: apps.items,
    nodes: nodes.items,
    taken: (namespace) =>
      tasks.items.value
        .filter(({ metadata }) => metadata.namespace === namespace)
        .map(({ metadata }) => metadata.name),
    namespaces: computed(() => {
      const names = namespaces.items.value
        .filter(({ metadata }) => !metadata.deletionTimestamp && !SERVERS.test(metadata.name))
        .map(({ metadata }) => metadata.name)
        .sort()
      return names.length ? names : [DEFAULT_NAMESPACE]
    }),
    loaded: computed(() => apps.loaded.value && nodes.loaded.value && tasks.loaded.value),
    schema: useTaskSchema(),
    isStored,
  }
}

/** The fields that the server's schema has at a path. */
export function knownFields(surroundings: Surroundings): KnownFields {
  return (path) => fieldsOf(surroundings.schema.value?.at(path)).map(({ name }) => name)
}
