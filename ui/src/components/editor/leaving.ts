/** Asking before a page with unsaved changes is left, and keeping them should it be left all the same. */

import { onBeforeUnmount, onMounted, watch, type Ref } from "vue"
import { useI18n } from "vue-i18n"
import { onBeforeRouteLeave } from "vue-router"
import { confirm } from "@/composables/confirm"
import { forgetDraft, keepDraft } from "@/lib/editor/kept_drafts"

const QUIET_MS = 400

export interface Leaving {
  /** The draft is saved or given up: nothing is asked any more. */
  done(): void
}

export function useLeaving(
  page: string,
  text: Ref<string>,
  base: () => string,
  isDirty: Readonly<Ref<boolean>>,
): Leaving {
  const { t } = useI18n()
  let isOver = false
  let timer: ReturnType<typeof setTimeout> | undefined

  function keep(): void {
    clearTimeout(timer)
    if (isOver || !isDirty.value) forgetDraft(page)
    else keepDraft(page, { text: text.value, base: base() })
  }

  watch(text, () => {
    clearTimeout(timer)
    timer = setTimeout(keep, QUIET_MS)
  })

  const ask = (): Promise<boolean> =>
    confirm({
      title: t("editor.leave.title"),
      text: t("editor.leave.text"),
      action: t("editor.leave.action"),
      danger: true,
      context: { action: "save", kind: "Task" },
      perform: () => Promise.resolve(),
    })

  function warn(event: BeforeUnloadEvent): void {
    keep()
    if (!isOver && isDirty.value) event.preventDefault()
  }

  onMounted(() => window.addEventListener("beforeunload", warn))
  onBeforeUnmount(() => {
    window.removeEventListener("beforeunload", warn)
    keep()
  })
  onBeforeRouteLeave(async () => {
    if (isOver || !isDirty.value) return true
    if (!(await ask())) return false
    isOver = true
    return true
  })
  return {
    done: () => {
      isOver = true
      keep()
    },
  }
}
