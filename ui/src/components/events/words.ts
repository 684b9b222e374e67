/** Words about events that depend on the language. */

import { useI18n } from "vue-i18n"

export function useEventWords(): { kindWord: (kind: string) => string } {
  const { t, te } = useI18n()
  return {
    /** The kind as the navigation calls it; what the UI does not know keeps its name. */
    kindWord: (kind) => (te(`events.kinds.${kind}`) ? t(`events.kinds.${kind}`) : kind),
  }
}
