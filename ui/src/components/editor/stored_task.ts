/**
 * The stored task that is being edited. Its status may change as it likes; when somebody changes what is edited here, that
 * is told, and can be taken in.
 */

import { computed, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from "vue"
import { ApiFailure, create, get, replace, type WriteOptions } from "@/lib/api/client"
import type { Task } from "@/lib/api/types"
import { parse, write } from "@/lib/editor/document"
import type { KeptDraft } from "@/lib/editor/kept_drafts"
import { manifestOf, namespaceOf, replacementOf } from "@/lib/editor/manifest"
import { merge, type Change, type Merged } from "@/lib/editor/merge"
import { withChanges } from "@/lib/editor/taking"
import { isMapping, same, type Mapping } from "@/lib/editor/values"
import type { Draft } from "./draft"

const TRIES = 3

export function baseFrom(task: Task): string {
  return write(manifestOf(task))
}

export interface StoredTask {
  /** What the text is based on. */
  base: ShallowRef<Task>
  manifest: ComputedRef<Mapping>
  baseText: Ref<string>
  /** Theirs against mine, while somebody else's change is not in the text. */
  merged: ComputedRef<Merged | undefined>
  isMerging: Ref<boolean>
  tookQuietly: Ref<boolean>
  isGone: ComputedRef<boolean>
  /** Write the document in the place of the stored one; or ask whether that would work. */
  send(value: unknown, options: WriteOptions): Promise<Task>
  take(changes: Change[]): void
}

export function useStoredTask(
  first: Task,
  live: () => Task | undefined,
  draft: Draft,
  kept: KeptDraft | undefined,
): StoredTask {
  const base = shallowRef(first)
  const baseText = ref(baseFrom(first))
  /** The manifest that mine is to be compared with: of a draft that was kept, the one it was made from. */
  const keptBase = kept?.base ? parse(kept.base).value : undefined
  const origin = shallowRef<Mapping>(isMapping(keptBase) ? keptBase : manifestOf(first))
  const theirs = shallowRef<Task>()
  const isMerging = ref(false)
  const tookQuietly = ref(false)

  const merged = computed(() =>
    theirs.value && !draft.isBroken.value
      ? merge(origin.value, draft.value.value, manifestOf(theirs.value))
      : undefined,
  )

  function rebase(task: Task): void {
    base.value = task
    baseText.value = baseFrom(task)
    origin.value = manifestOf(task)
    theirs.value = undefined
  }

  /** A state of the server that is newer than the base. */
  function hear(task: Task): void {
    if (same(manifestOf(task), origin.value)) {
      base.value = task
      theirs.value = undefined
    } else if (draft.text.value === baseText.value) {
      rebase(task)
      draft.text.value = baseText.value
      tookQuietly.value = true
    } else theirs.value = task
  }

  watch(live, (task) => task && hear(task))
  if (kept) hear(first)

  const isGone = computed(() => live() === undefined)

  async function send(value: unknown, options: WriteOptions): Promise<Task> {
    const { name, namespace } = base.value.metadata
    if (isGone.value) return create("tasks", namespaceOf(value), isMapping(value) ? value : {}, options)
    // A dry run overwrites nobody: it may stand on what is newest.
    let newest = live()?.metadata ?? base.value.metadata
    for (let tries = 1; ; tries += 1) {
      try {
        const body = replacementOf(value, base.value, options.dryRun ? newest : base.value.metadata)
        return await replace("tasks", name, namespace, body, options)
      } catch (error) {
        if (!(error instanceof ApiFailure) || error.httpCode !== 409 || tries === TRIES) throw error
        // Mostly it was only the status that changed in between.
        const now = await get("tasks", name, namespace)
        newest = now.metadata
        hear(now)
        if (theirs.value && !options.dryRun) throw error
      }
    }
  }

  function take(changes: Change[]): void {
    const task = theirs.value
    if (!task) return
    const text = withChanges(draft.text.value, changes)
    rebase(task)
    draft.text.value = text
    isMerging.value = false
  }

  return {
    base,
    manifest: computed(() => manifestOf(base.value)),
    baseText,
    merged,
    isMerging,
    tookQuietly,
    isGone,
    send,
    take,
  }
}
