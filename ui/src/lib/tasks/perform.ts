/** Acting on tasks and their instances: the thin side of `actions.ts`. Everything throws ApiFailure. */

import { amend, ApiFailure, get, json, patch, remove } from "@/lib/api/client"
import { objectPath } from "@/lib/api/kinds"
import type { Assignment, Revisions, Task } from "@/lib/api/types"
import { each } from "@/lib/each"
import {
  contrary,
  desiredPatch,
  respecPatch,
  restartPatch,
  scalePatch,
  statePatch,
  type Counts,
  type Desired,
} from "./actions"
import { rolledBack, specOf } from "./rollback"

/** Milliseconds before each attempt to write among others. */
const PAUSES = [0, 50, 100, 200, 400]

export async function setTaskState(task: Task, copies: readonly Assignment[], state: Desired): Promise<void> {
  const { name, namespace } = task.metadata
  const others = contrary(task, copies, state)
  await patch("tasks", name, namespace, statePatch(state))
  await setDesired(others, state)
}

/** Tell each instance by itself. The first failure is thrown when all have been told. */
export async function setDesired(copies: readonly Assignment[], desired: Desired): Promise<void> {
  const {
    failures: [failed],
  } = await each(copies, ({ metadata }) =>
    patch("assignments", metadata.name, metadata.namespace, desiredPatch(desired)),
  )
  if (failed) throw failed.error
}

export async function restartTask(task: Task): Promise<void> {
  await patch("tasks", task.metadata.name, task.metadata.namespace, restartPatch(new Date().toISOString()))
}

export async function deleteTask({ metadata }: Task): Promise<void> {
  await remove("tasks", metadata.name, metadata.namespace, metadata.uid)
}

/** Set the counts of some entries, whatever others write meanwhile. */
export async function scaleTask(task: Task, wanted: Readonly<Record<string, Counts>>): Promise<void> {
  await amongOthers(task, (present) => scalePatch(present, wanted))
}

/** Go back to a revision. Nothing that others write meanwhile is taken back. */
export async function rollBack(task: Task, revision: number): Promise<void> {
  await amongOthers(task, async (present) => {
    const found = (await revisionsOf(present)).items.find((one) => one.revision === revision)
    if (!found) throw new ApiFailure(`revision ${revision} is not kept any more`)
    return respecPatch(present, rolledBack(present.spec, specOf(found)))
  })
}

export function revisionsOf({ metadata }: Pick<Task, "metadata">): Promise<Revisions> {
  return json(objectPath("tasks", metadata.name, metadata.namespace, "revisions"))
}

type Operations = ReturnType<typeof scalePatch>

/** Read, decide, write; again when a `test` of the patch found that the task has changed in between. */
async function amongOthers(
  task: Task,
  decide: (present: Task) => Operations | Promise<Operations>,
): Promise<void> {
  const { name, namespace, uid } = task.metadata
  let raced: unknown
  for (const pause of PAUSES) {
    if (pause) await new Promise((resolve) => setTimeout(resolve, pause))
    const present = await get("tasks", name, namespace)
    if (present.metadata.uid !== uid) throw replaced(name)
    const operations = await decide(present)
    if (!operations.length) return
    try {
      await amend("tasks", name, namespace, operations)
      return
    } catch (error) {
      if (!hasFailedTest(error)) throw error
      raced = error
    }
  }
  throw raced
}

/** The server names the operations that failed as fields: `[0]`. */
function hasFailedTest(error: unknown): boolean {
  const causes = error instanceof ApiFailure ? (error.status?.details?.causes ?? []) : []
  return causes.length > 0 && causes.every(({ field }) => field?.startsWith("["))
}

function replaced(name: string): ApiFailure {
  const message = `the UID in the precondition is not that of ${name}`
  return new ApiFailure(message, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    code: 409,
    reason: "Conflict",
    message,
    details: { name },
  })
}
