/** Texts in the reader's language; only that language is loaded. */

import { createI18n } from "vue-i18n"
import { watch } from "vue"
import type { Messages } from "./locales/messages"
import { language, type Language } from "./lib/preferences"

const loaders: Record<Language, () => Promise<{ default: Messages }>> = {
  en: () => import("./locales/en"),
  zh: () => import("./locales/zh"),
}

export const i18n = createI18n({
  legacy: false,
  locale: language.value,
  fallbackLocale: [],
  messages: {} as Record<Language, Messages>,
  missingWarn: import.meta.env.DEV,
})

async function load(wanted: Language): Promise<void> {
  if (!i18n.global.availableLocales.includes(wanted)) {
    i18n.global.setLocaleMessage(wanted, (await loaders[wanted]()).default)
  }
  // Another may have been chosen while this one was loaded.
  if (wanted === language.value) i18n.global.locale.value = wanted
}

/** Load the language; afterwards the page follows when another is chosen. */
export async function startTexts(): Promise<void> {
  await load(language.value)
  watch(language, (wanted) => void load(wanted))
}
