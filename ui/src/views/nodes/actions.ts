/** What people do to nodes: cordon them, take them out. */

import { ref } from "vue"
import { useI18n } from "vue-i18n"
import { confirm } from "@/composables/confirm"
import { patch, remove } from "@/lib/api/client"
import type { Assignment, Node } from "@/lib/api/types"
import { each } from "@/lib/each"
import { tellDone, tellFailure } from "@/lib/notices"
import { isUp, type NodeVerdict } from "@/lib/words/verdicts"

export function useNodeActions() {
  const { t } = useI18n()
  const busy = ref(false)

  /** Whether the scheduler passes them over from now on. */
  async function setCordoned(names: readonly string[], isCordoned: boolean): Promise<void> {
    const action = isCordoned ? "cordon" : "uncordon"
    busy.value = true
    const {
      failures: [failed],
    } = await each(names, (name) =>
      patch("nodes", name, undefined, { spec: { unschedulable: isCordoned || null } }),
    )
    busy.value = false
    if (failed) return tellFailure(failed.error, { action, kind: "Node", name: failed.item })
    const [name = ""] = names
    tellDone(t(`nodes.done.${action}`, { n: names.length, name }, names.length))
  }

  /** Resolves to whether it is gone. */
  function askToDelete(node: Node, verdict: NodeVerdict, instances: readonly Assignment[]): Promise<boolean> {
    const { name, uid } = node.metadata
    const leaving = instances.filter(({ metadata }) => metadata.deletionTimestamp)
    const isReady = isUp(verdict.state)
    const staying = isReady ? instances.length : instances.length - leaving.length
    const consequences: string[] = []
    if (staying) consequences.push(t("nodes.delete.inUse", { n: staying }, staying), t("nodes.delete.first"))
    if (isReady) consequences.push(t("nodes.delete.running"))
    else {
      if (leaving.length) consequences.push(t("nodes.delete.leaving", { n: leaving.length }, leaving.length))
      consequences.push(t("nodes.delete.back"))
    }
    consequences.push(t("nodes.delete.forgotten"))
    return confirm({
      title: t("nodes.delete.title", { name }),
      text: t(isReady ? "nodes.delete.textReady" : "nodes.delete.textSilent"),
      consequences,
      action: t("nodes.delete.action"),
      danger: true,
      context: { action: "delete", kind: "Node", name },
      perform: async () => {
        await remove("nodes", name, undefined, uid)
        tellDone(t("nodes.done.delete", { name }))
      },
    })
  }

  return { busy, setCordoned, askToDelete }
}
