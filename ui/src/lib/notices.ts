/** Short messages about what was done. What failed stays where it was asked for (FailureNote), or is told here. */

import { ElMessage } from "element-plus"
import { i18n } from "@/i18n"
import { explainFailure, type FailureContext } from "./words/failures"

export function tellDone(text: string): void {
  ElMessage({ message: text, type: "success", duration: 3000, grouping: true })
}

export function tellFailure(error: unknown, context: FailureContext): void {
  const { title, text } = explainFailure(error, context)
  const say = i18n.global.t
  tellTrouble(`${say(title.key, title.params ?? {})} ${say(text.key, text.params ?? {})}`)
}

/** What went wrong, in words that are there already. */
export function tellTrouble(message: string): void {
  ElMessage({
    message,
    type: "error",
    duration: 8000,
    showClose: true,
    grouping: true,
  })
}
