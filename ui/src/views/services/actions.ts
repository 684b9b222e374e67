/** Deleting services. */

import { useI18n } from "vue-i18n"
import { confirm } from "@/composables/confirm"
import { remove } from "@/lib/api/client"
import type { Endpoint, Service } from "@/lib/api/types"
import { tellDone } from "@/lib/notices"
import { isKept, serviceName } from "@/lib/services/rows"

export function useServiceActions() {
  const { t } = useI18n()

  /** Resolves to whether it is gone. */
  function askToDelete(service: Service, endpoints: readonly Endpoint[]): Promise<boolean> {
    const { name, namespace, uid } = service.metadata
    const shown = serviceName(service)
    const hasSelector = Object.keys(service.spec?.selector ?? {}).length > 0
    return confirm({
      title: t("services.delete.title", { name: shown }),
      text: t("services.delete.text"),
      consequences: [
        ...(hasSelector ? [t("services.delete.selected", { n: endpoints.filter(isKept).length })] : []),
        t("services.delete.stays"),
        t("services.delete.instances"),
      ],
      action: t("services.actions.delete"),
      danger: true,
      context: { action: "delete", kind: "Service", name: shown },
      perform: async () => {
        await remove("services", name, namespace, uid)
        tellDone(t("services.delete.done", { name: shown }))
      },
    })
  }

  return { askToDelete }
}
