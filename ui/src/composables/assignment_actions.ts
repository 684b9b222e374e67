/** What people do with instances: one, or many at once. */

import { useI18n } from "vue-i18n"
import { RESTARTED_AT } from "@/lib/api/annotations"
import { patch, remove } from "@/lib/api/client"
import type { Assignment } from "@/lib/api/types"
import { each, type Course } from "@/lib/each"
import { tellDone, tellFailure, tellTrouble } from "@/lib/notices"
import { explainFailure, type Action } from "@/lib/words/failures"
import { say } from "@/lib/words/verdicts"
import { confirm } from "./confirm"

export type AssignmentAction = "start" | "stop" | "restart" | "delete"

/** More than so many are started only after a question, and deleted only after their number was typed. */
const MANY = 20

/** Whether the action makes sense for it now. */
export function isPossible(action: AssignmentAction, { metadata, spec }: Assignment): boolean {
  if (metadata.deletionTimestamp) return false
  if (action === "start") return spec.desired === "Stopped"
  return action === "delete" || spec.desired !== "Stopped"
}

function send(action: AssignmentAction, { metadata }: Assignment): Promise<unknown> {
  const { name, namespace, uid } = metadata
  switch (action) {
    case "start":
      return patch("assignments", name, namespace, { metadata: { uid }, spec: { desired: "Running" } })
    case "stop":
      return patch("assignments", name, namespace, { metadata: { uid }, spec: { desired: "Stopped" } })
    case "restart": {
      const annotations = { [RESTARTED_AT]: new Date().toISOString() }
      return patch("assignments", name, namespace, { metadata: { uid, annotations } })
    }
    case "delete":
      return remove("assignments", name, namespace, uid)
  }
}

const DONE = { start: "started", stop: "stopped", restart: "restarted", delete: "deleted" } as const

export function useAssignmentActions() {
  const { t } = useI18n()

  const contextOf = (action: Action, name: string) => ({ action, kind: "Assignment", name })

  /** Do it with one; stopping and deleting ask first. */
  async function act(action: AssignmentAction, assignment: Assignment): Promise<void> {
    const name = assignment.metadata.name
    const context = contextOf(action, name)
    const perform = async () => {
      await send(action, assignment)
      tellDone(t(`assignments.actions.${DONE[action]}`, { name }))
    }
    if (action === "stop" || action === "delete") {
      await confirm({
        title: t(`assignments.confirm.${action}Title`, { name }),
        text: t(`assignments.confirm.${action}Text`),
        consequences: action === "delete" ? consequences([assignment]) : [],
        action: t(`assignments.confirm.${action}Action`),
        danger: true,
        context,
        perform,
      })
      return
    }
    try {
      await perform()
    } catch (error) {
      tellFailure(error, context)
    }
  }

  function consequences(assignments: readonly Assignment[]): string[] {
    const isLost = assignments.some(({ status }) => status?.phase === "Unknown")
    return [
      ...(isLost ? [t("assignments.confirm.deleteLost")] : []),
      t("assignments.confirm.deleteKept"),
      t("assignments.confirm.deleteLog"),
    ]
  }

  /** Do it with several; resolves to whether it was done. */
  async function actOnAll(action: AssignmentAction, assignments: readonly Assignment[]): Promise<boolean> {
    const [first] = assignments
    if (!first) return false
    if (assignments.length === 1) {
      await act(action, first)
      return true
    }
    const n = assignments.length
    const name = t("assignments.confirm.many", { n }, n)
    const perform = async (course?: Course) => {
      const { failures, tried } = await each(assignments, (one) => send(action, one), course)
      const done = tried - failures.length
      if (done) tellDone(t(`assignments.actions.${DONE[action]}Many`, { n: done }, done))
      const [failed] = failures
      if (failed) {
        const { text } = explainFailure(failed.error, contextOf(action, failed.item.metadata.name))
        const params = { failed: failures.length, all: tried, first: say(t, text) }
        tellTrouble(t("assignments.actions.someFailed", params))
      }
    }
    if (action === "start" && n <= MANY) {
      await perform()
      return true
    }
    const isDeletion = action === "delete"
    return confirm({
      title: t(`assignments.confirm.${action}Title`, { name }),
      text: t(`assignments.confirm.${action}Many`),
      consequences: isDeletion ? consequences(assignments) : [],
      action: t(`assignments.confirm.${action}Action`),
      danger: action === "stop" || isDeletion,
      ...(isDeletion && n > MANY ? { typed: String(n) } : {}),
      context: contextOf(action, name),
      perform,
    })
  }

  return { act, actOnAll }
}
