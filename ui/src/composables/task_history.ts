/** The history of a task, page by page, kept up to date while it is read. */

import { shallowRef } from "vue"
import { json } from "@/lib/api/client"
import { objectPath } from "@/lib/api/kinds"
import type { History, HistoryItem } from "@/lib/api/types"
import type { Reference } from "@/lib/addresses"
import { isOfWill, joined } from "@/lib/tasks/changes"

const PAGE = 100
/** Pages that are read for one "show more": most changes are of the status, which are not shown by default. */
const MOST_PAGES = 5
/** How many shown changes make a page. */
const ENOUGH = 20

export function useTaskHistory({ name, namespace }: Reference) {
  const items = shallowRef<readonly HistoryItem[]>([])
  const loaded = shallowRef(false)
  const busy = shallowRef(false)
  const failure = shallowRef<unknown>()
  /** Where the next older page begins; undefined at the end. */
  const next = shallowRef<string>()
  let hasBegun = false
  /** Something happened while a page was read. */
  let isStale = false

  const page = (at?: string): Promise<History> =>
    json(
      `${objectPath("tasks", name, namespace, "history")}?limit=${PAGE}${at ? `&continue=${encodeURIComponent(at)}` : ""}`,
    )

  async function guarded(work: () => Promise<void>): Promise<void> {
    if (busy.value) return
    busy.value = true
    try {
      await work()
      failure.value = undefined
    } catch (error) {
      failure.value = error
    } finally {
      busy.value = false
      loaded.value = true
    }
    if (isStale) await refresh()
  }

  /** Older changes, until there are enough new ones to show. */
  function more(isWithStatus: boolean): Promise<void> {
    return guarded(async () => {
      const before = items.value.length
      for (let pages = 0; pages < MOST_PAGES && (!hasBegun || next.value); pages += 1) {
        const found = await page(next.value)
        hasBegun = true
        items.value = joined(items.value, found.items)
        next.value = found.metadata.continue || undefined
        const added = items.value.slice(before).filter((item) => isWithStatus || isOfWill(item))
        if (added.length >= ENOUGH) break
      }
    })
  }

  /** What has happened since. A longer break than a page leaves nothing out: the pages in between are read too. */
  function refresh(): Promise<void> {
    isStale = busy.value
    if (busy.value || !hasBegun) return Promise.resolve()
    return guarded(async () => {
      const newest = items.value[0]?.version
      let at: string | undefined
      for (let pages = 0; pages < MOST_PAGES; pages += 1) {
        const found = await page(at)
        items.value = joined(items.value, found.items)
        at = found.metadata.continue || undefined
        if (!at || !newest || found.items.some(({ version }) => version === newest)) return
      }
    })
  }

  return { items, loaded, busy, failure, next, more, refresh }
}
