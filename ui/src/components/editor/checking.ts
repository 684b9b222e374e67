/** What the server would say to the document, asked while somebody writes it: a dry run, a moment after the last change. */

import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue"
import type { Task } from "@/lib/api/types"
import { parse } from "@/lib/editor/document"
import { serverProblems, syntaxProblems, type KnownFields, type Problem } from "@/lib/editor/problems"

const QUIET_MS = 500

export type CheckState = "none" | "waiting" | "good" | "bad" | "unknown"

export interface Check {
  state: Ref<CheckState>
  problems: Ref<readonly Problem[]>
  /** What the server would store. */
  answer: Ref<Task | undefined>
  /** Why it could not be checked, or what is wrong that no field is to blame for. */
  failure: Ref<unknown>
  /** Ask now; resolves when the answer is there. */
  ask(): Promise<void>
}

/** `send` makes the dry run of a document, or undefined where there is nothing to ask. */
export function useCheck(
  problems: Ref<readonly Problem[]>,
  text: Ref<string>,
  send: (value: unknown, signal: AbortSignal) => Promise<Task> | undefined,
  known: KnownFields,
): Check {
  const state = ref<CheckState>("none")
  const answer = shallowRef<Task>()
  const failure = shallowRef<unknown>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let going: AbortController | undefined

  async function ask(): Promise<void> {
    clearTimeout(timer)
    going?.abort()
    const own = (going = new AbortController())
    const parsed = parse(text.value)
    if (parsed.problems.length) return settle("none", syntaxProblems(parsed))
    const asked = send(parsed.value, own.signal)
    if (!asked) return settle("none", [])
    state.value = "waiting"
    try {
      const stored = await asked
      if (own.signal.aborted) return
      answer.value = stored
      settle("good", [])
    } catch (error) {
      if (own.signal.aborted) return
      const found = serverProblems(error, parsed, known)
      settle(found ? "bad" : "unknown", found ?? [], found ? undefined : error)
    }
  }

  function settle(next: CheckState, found: readonly Problem[], why?: unknown): void {
    state.value = next
    problems.value = found
    failure.value = why
  }

  watch(text, () => {
    going?.abort()
    clearTimeout(timer)
    state.value = "waiting"
    timer = setTimeout(() => void ask(), QUIET_MS)
  })
  onScopeDispose(() => {
    clearTimeout(timer)
    going?.abort()
  })
  return { state, problems, answer, failure, ask }
}
