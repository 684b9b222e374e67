/** The runs of an instance: from its history, and from then on from what is seen of it. */

import { computed, onScopeDispose, shallowRef, watch, type Ref } from "vue"
import { RESTARTED_AT } from "@/lib/api/annotations"
import { json } from "@/lib/api/client"
import { objectPath } from "@/lib/api/kinds"
import type { Assignment, History, HistoryItem } from "@/lib/api/types"
import { present } from "@/lib/live/clock"
import { momentOf, pastOf, runsOf, type Asked, type Moment } from "@/lib/assignments/runs"

const PAGES = 20
const PAGE = 100

async function readHistory(object: Assignment, signal: AbortSignal): Promise<HistoryItem[]> {
  const { name, namespace } = object.metadata
  const path = objectPath("assignments", name, namespace, "history")
  const items: HistoryItem[] = []
  let next = ""
  for (let page = 0; page < PAGES; page += 1) {
    const query = next ? `&continue=${encodeURIComponent(next)}` : ""
    const found = await json<History>(`${path}?limit=${PAGE}${query}`, { signal })
    items.push(...found.items)
    next = found.metadata.continue ?? ""
    if (!next) break
  }
  return items
}

export function useRuns(assignment: Ref<Assignment | undefined>) {
  const moments = shallowRef<Moment[]>([])
  const asked = shallowRef<Asked[]>([])
  const isLoaded = shallowRef(false)
  const error = shallowRef<unknown>()
  let reading: AbortController | undefined

  function see(object: Assignment): void {
    const now = momentOf(object)
    if (JSON.stringify(moments.value.at(-1)) !== JSON.stringify(now)) moments.value = [...moments.value, now]
  }

  async function load(object: Assignment): Promise<void> {
    const here = (reading = new AbortController())
    try {
      const items = await readHistory(object, here.signal)
      const past = pastOf(momentOf(object), items, object.metadata.uid)
      // What was seen while it was read comes after.
      moments.value = [...past.moments, ...moments.value]
      asked.value = [...past.asked, ...asked.value]
    } catch (failure) {
      if (here.signal.aborted) return
      error.value = failure
    }
    isLoaded.value = true
  }

  watch(
    () => assignment.value?.metadata.uid,
    (uid) => {
      reading?.abort()
      moments.value = []
      asked.value = []
      isLoaded.value = false
      error.value = undefined
      if (uid && assignment.value) void load(assignment.value)
    },
    { immediate: true },
  )
  watch(
    assignment,
    (object, before) => {
      if (!object) return
      see(object)
      if (!before || before.metadata.uid !== object.metadata.uid) return
      const restart = (one: Assignment) => one.metadata.annotations?.[RESTARTED_AT]
      if (restart(object) && restart(object) !== restart(before)) ask("restart")
      if (object.spec.desired === "Stopped" && before.spec.desired !== "Stopped") ask("stop")
    },
    { immediate: true },
  )
  function ask(what: Asked["what"]): void {
    asked.value = [...asked.value, { what, at: present() }]
  }
  onScopeDispose(() => reading?.abort())

  const runs = computed(() => {
    const grace = (assignment.value?.spec.template.terminationGracePeriodSeconds ?? 5) * 1000
    return runsOf({ moments: moments.value, asked: asked.value }, grace)
  })
  return { runs, isLoaded, error }
}
