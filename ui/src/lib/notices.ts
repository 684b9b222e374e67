/** Short messages about what was done. What failed stays where it was asked for (FailureNote), or is told here. */

import { ElMessage } from "element-plus"
import { i18n } from "@/i18n"
import { explainFailure, type FailureContext } from "./words/failures"
import { say, type Sentence } from "./words/verdicts"

export function tellDone(text: string): void {
  ElMessage({ message: text, type: "success", duration: 3000, grouping: true })
}

export function tellFailure(error: unknown, context: FailureContext): void {
  const { title, text, remedy } = explainFailure(error, context)
  const said = (one?: Sentence) => (one ? say(i18n.global.t, one) : "")
  const parts = { title: said(title), text: said(text), remedy: said(remedy) }
  tellTrouble(i18n.global.t("shell.failure.told", parts).trim())
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
