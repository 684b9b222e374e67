/** Who made a change, in words. Pure. */

import type { Sentence } from "@/lib/words/sentences"

/** Programs whose names people know by another. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "plum-ui": "ui",
  plumctl: "plumctl",
  kubectl: "kubectl",
  "plum-task-controller": "taskController",
  "plum-garbage-collector": "collector",
}

/** The user where the server knows one, and the program by which it was made; undefined where neither is known. */
export function whoOf({ user, manager }: { user: string; manager: string }): Sentence | undefined {
  const isKnown = user !== "" && user !== "system:anonymous"
  const program = PROGRAMS[manager]
  if (program) return { key: isKnown ? `tasks.who.${program}By` : `tasks.who.${program}`, params: { user } }
  if (isKnown) return { key: manager ? "tasks.who.userBy" : "tasks.who.user", params: { user, manager } }
  return manager ? { key: "tasks.who.manager", params: { manager } } : undefined
}
