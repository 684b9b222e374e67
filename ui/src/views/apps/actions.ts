/** What people do to uploads: fetch them, delete them. */

import { useI18n } from "vue-i18n"
import { confirm } from "@/composables/confirm"
import { remove, request } from "@/lib/api/client"
import { token } from "@/lib/api/session"
import type { VersionRow } from "@/lib/apps/catalogue"
import { tellDone, tellFailure } from "@/lib/notices"
import { saveBlob, saveFrom } from "@/lib/save_file"
import { formatBytes } from "@/lib/words/sizes"

export function useAppActions() {
  const { t } = useI18n()

  async function download({ app: { spec } }: VersionRow): Promise<void> {
    const address = `/artifacts/sha256/${spec.sha256}`
    const name = `${spec.name}_${spec.version}_${spec.sha256.slice(0, 8)}.zip`
    // The browser saves by itself what it may ask for by itself; a token has to be shown in a header.
    if (!token.value) return saveFrom(name, address)
    try {
      const response = await request(address, { accept: "*/*", timeout: 0 })
      saveBlob(name, await response.blob())
    } catch (error) {
      tellFailure(error, { action: "load", kind: "App", name })
    }
  }

  /** Resolves to whether it is gone. */
  function askToDelete({ app, name, version, namespace, tasks, instances }: VersionRow): Promise<boolean> {
    const users = tasks.length + instances.length
    return confirm({
      title: t("apps.delete.title", { name, version }),
      text: t("apps.delete.text"),
      consequences: [
        ...(users ? [t("apps.delete.inUse", { n: users }, users)] : []),
        t("apps.delete.archive", { size: formatBytes(app.spec.sizeBytes) }),
      ],
      action: t("apps.delete.action"),
      danger: true,
      context: { action: "delete", kind: "App", name: app.metadata.name, namespace },
      perform: async () => {
        await remove("apps", app.metadata.name, namespace, app.metadata.uid)
        tellDone(t("apps.delete.done", { name, version }))
      },
    })
  }

  return { download, askToDelete }
}
