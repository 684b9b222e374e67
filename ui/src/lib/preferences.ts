/** What a person chose for this browser: language and theme. */

import { ref, watch } from "vue"
import { keep, kept } from "./storage"

export type Theme = "system" | "light" | "dark"
export type Language = "en" | "zh"

function firstTheme(): Theme {
  const found = kept("browser", "plum.theme")
  return found === "light" || found === "dark" ? found : "system"
}

function firstLanguage(): Language {
  const found = kept("browser", "plum.language")
  if (found === "en" || found === "zh") return found
  return navigator.languages
    .find((one) => /^(zh|en)/i.test(one))
    ?.toLowerCase()
    .startsWith("zh")
    ? "zh"
    : "en"
}

export const theme = ref<Theme>(firstTheme())
export const language = ref<Language>(firstLanguage())

const dark = window.matchMedia("(prefers-color-scheme: dark)")

function draw(): void {
  const isDark = theme.value === "dark" || (theme.value === "system" && dark.matches)
  document.documentElement.classList.toggle("dark", isDark)
  document.documentElement.classList.toggle("light", !isDark)
}

/** Draw the page in the chosen theme from now on. */
export function startPreferences(): void {
  dark.addEventListener("change", draw)
  watch(theme, (chosen) => keep("browser", "plum.theme", chosen))
  watch(theme, draw, { immediate: true, flush: "sync" })
  watch(language, (chosen) => keep("browser", "plum.language", chosen))
  watch(language, (chosen) => (document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en"), {
    immediate: true,
  })
  // Another tab of the same browser changes with this one.
  window.addEventListener("storage", (event) => {
    if (event.key === "plum.theme") theme.value = firstTheme()
    if (event.key === "plum.language") language.value = firstLanguage()
  })
}
