/** Asking before something cannot be undone. One dialog, drawn by `ConfirmHost` in the application's frame. */

import { shallowRef } from "vue"
import type { Course } from "@/lib/each"
import type { FailureContext } from "@/lib/words/failures"

export interface Question {
  title: string
  text: string
  /** What goes with it, each a line. */
  consequences?: readonly string[]
  /** The word on the button, which says what happens: "Delete task". */
  action: string
  danger?: boolean
  /** What must be typed before the button works, for what concerns many. */
  typed?: string
  /** What it is, for the words about its failure. */
  context: FailureContext
  /** Done when the answer is yes; the dialog stays open, busy, until it is, and shows why it failed. */
  perform: (course: Course) => Promise<void>
}

export interface Asked extends Question {
  resolve: (done: boolean) => void
}

export const asked = shallowRef<Asked>()

/** Ask; resolves to whether it was done. */
export function confirm(question: Question): Promise<boolean> {
  asked.value?.resolve(false)
  return new Promise((resolve) => {
    asked.value = { ...question, resolve }
  })
}
