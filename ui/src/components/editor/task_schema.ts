/** The server's schema of tasks, asked for once. */

import { shallowRef, type Ref } from "vue"
import { json } from "@/lib/api/client"
import { schemaOf, type SchemaReader } from "@/lib/editor/schema"

const known = shallowRef<SchemaReader>()
let asking: Promise<void> | undefined

export function useTaskSchema(): Readonly<Ref<SchemaReader | undefined>> {
  asking ??= json<unknown>("/openapi/v3/apis/plum.dev/v1")
    .then((openapi) => {
      known.value = schemaOf(openapi, "Task")
    })
    .catch(() => {
      // Without it there is no completion; the next editor asks again.
      asking = undefined
    })
  return known
}
