/**
 * A mapping of the document as rows. Rows may be half written, empty or double while somebody types; the document has
 * only what can stand in it.
 */

import { ref, watch, type Ref } from "vue"
import type { Path } from "@/lib/editor/paths"
import { mappingOf, same } from "@/lib/editor/values"
import { useDraft } from "../draft"

export interface MappingRow {
  key: string
  value: unknown
}

export interface MappingRows {
  rows: Ref<MappingRow[]>
  set(index: number, row: Partial<MappingRow>): void
  add(row: MappingRow): void
  remove(index: number): void
  /** Whether another row has the same key. */
  isDouble(index: number): boolean
}

const contentOf = (rows: readonly MappingRow[]): Record<string, unknown> =>
  Object.fromEntries(rows.filter(({ key }) => key).map(({ key, value }) => [key, value]))

export function useMappingRows(path: () => Path): MappingRows {
  const draft = useDraft()
  const rows = ref<MappingRow[]>([])

  watch(
    () => mappingOf(draft.read(path())),
    (found) => {
      if (same(found, contentOf(rows.value))) return
      rows.value = Object.entries(found).map(([key, value]) => ({ key, value }))
    },
    { immediate: true },
  )

  function change(next: MappingRow[]): void {
    rows.value = next
    draft.writeMapping(path(), contentOf(next))
  }

  return {
    rows,
    set: (index, row) => change(rows.value.map((old, at) => (at === index ? { ...old, ...row } : old))),
    add: (row) => change([...rows.value, row]),
    remove: (index) => change(rows.value.filter((_, at) => at !== index)),
    isDouble: (index) =>
      rows.value.some(({ key }, at) => key && at !== index && key === rows.value[index]?.key),
  }
}
