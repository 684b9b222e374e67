/** For tests: says sentences in both languages, strictly. What has no words, or lacks a parameter, is an error. */
import { createI18n } from "vue-i18n"
import en from "../../locales/en/words"
import zh from "../../locales/zh/words"
import type { Sentence } from "./sentences"

const locales = { en: { words: en }, zh: { words: zh } }

const i18n = createI18n({
  legacy: false,
  locale: "en",
  messages: locales,
  missingWarn: false,
  fallbackWarn: false,
})

export type Language = keyof typeof locales

/** The message behind a key, as it is written; undefined where there is none. */
export function messageOf(language: Language, key: string): string | undefined {
  const found = key.split(".").reduce<unknown>((node, name) => {
    return typeof node === "object" && node !== null ? Reflect.get(node, name) : undefined
  }, locales[language])
  return typeof found === "string" ? found : undefined
}

export function placeholders(message: string): string[] {
  return [...new Set([...message.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? ""))].sort()
}

export function speak(what: Sentence, language: Language = "en"): string {
  const message = messageOf(language, what.key)
  if (message === undefined) throw new Error(`${what.key} has no words in ${language}`)
  const lacking = placeholders(message).filter((name) => !(name in (what.params ?? {})))
  if (lacking.length) throw new Error(`${what.key} lacks ${lacking.join(", ")}`)
  const linked = what.params?.["seen"]
  if (typeof linked === "string") speak({ key: linked, params: { ...what.params, seen: 0 } }, language)
  return i18n.global.t(what.key, what.params ?? {}, { locale: language })
}

/** In English, after it was made sure that there is Chinese as well. */
export function said(what: Sentence | undefined): string | undefined {
  if (!what) return undefined
  speak(what, "zh")
  return speak(what, "en")
}
