/**
 * What somebody has just asked for and what does not show in the objects yet. From the click until then a task's
 * state says what was asked for, so that a click has its effect at once.
 */

import { shallowReactive } from "vue"
import { sentence, TASK_STATES, type TaskState, type TaskVerdict } from "@/lib/words/verdicts"

export type Doing = "start" | "stop" | "restart" | "scale" | "rollback" | "delete"

interface Asked {
  doing: Doing
  /** The state that was shown when it was asked for: another one is news of what was done. */
  from: TaskState
}

const SHOWN: Record<Doing, TaskState> = {
  start: "starting",
  stop: "stopping",
  restart: "rollingOut",
  scale: "scaling",
  rollback: "rollingOut",
  delete: "deleting",
}

/** How long after the server's yes the asked-for state is shown at most. */
const GRACE_MS = 2500

const asked = shallowReactive(new Map<string, Asked>())

/** Do it; meanwhile the task counts as on its way. */
export async function doing(
  uid: string,
  what: Doing,
  from: TaskState,
  perform: () => Promise<void>,
): Promise<void> {
  const mine: Asked = { doing: what, from }
  asked.set(uid, mine)
  const forget = (): void => {
    if (asked.get(uid) === mine) asked.delete(uid)
  }
  try {
    await perform()
    setTimeout(forget, GRACE_MS)
  } catch (error) {
    forget()
    throw error
  }
}

/** The verdict to show: what was asked for, until the objects tell something new. */
export function shownVerdict(uid: string, verdict: TaskVerdict): TaskVerdict {
  const found = asked.get(uid)
  return found ? expected(verdict, found.doing, found.from) : verdict
}

export function expected(verdict: TaskVerdict, what: Doing, from: TaskState): TaskVerdict {
  if (verdict.state !== from) return verdict
  const state = SHOWN[what]
  return { ...verdict, state, level: TASK_STATES[state], word: sentence(`task.${state}`) }
}
