/**
 * Rows of the list of instances. A row stays the same object while nothing that it shows has changed, so that of
 * thousands only those are judged and drawn anew that have.
 */

import { DEFAULT_NAMESPACE, idOf } from "../addresses"
import type { Assignment, InstanceUsage, Node } from "../api/types"
import { assignmentVerdict, byLevel, type AssignmentVerdict } from "../words/verdicts"

export interface Row {
  assignment: Assignment
  /** `namespace/name`. */
  key: string
  /** As in addresses. */
  id: string
  name: string
  namespace: string
  task: string
  entry: string
  node: string
  verdict: AssignmentVerdict
  isReady: boolean
  restarts: number
  ports: string
  usage: InstanceUsage | undefined
  /** Sorts what needs a look first. */
  rank: number
  /** What the search looks through, in lower case. */
  text: string
}

interface Kept {
  row: Row
  node: Node | null | undefined
  usage: InstanceUsage | undefined
  at: number
}

export class Rows {
  private readonly kept = new WeakMap<Assignment, Kept>()

  /** `now` may be coarse: it only matters to what was restarted. `node`: null where there is none of that name. */
  of(
    assignment: Assignment,
    now: number,
    node: Node | null | undefined,
    usage: InstanceUsage | undefined,
  ): Row {
    const known = this.kept.get(assignment)
    const ages = (assignment.status?.restarts ?? 0) > 0
    if (known && known.node === node && known.usage === usage && (!ages || known.at === now)) return known.row
    const verdict = assignmentVerdict(assignment, now, node)
    if (known && known.node === node && known.usage === usage && isSame(known.row.verdict, verdict)) {
      known.at = now
      return known.row
    }
    const row = rowOf(assignment, verdict, usage)
    this.kept.set(assignment, { row, node, usage, at: now })
    return row
  }
}

function isSame(one: AssignmentVerdict, other: AssignmentVerdict): boolean {
  return one.state === other.state && one.cause?.says.key === other.cause?.says.key
}

function rowOf(assignment: Assignment, verdict: AssignmentVerdict, usage: InstanceUsage | undefined): Row {
  const { metadata, spec, status } = assignment
  const { name, namespace = DEFAULT_NAMESPACE } = metadata
  const ports = (status?.ports ?? []).map((port) => `${port.name}:${port.port}`).join(" ")
  return {
    assignment,
    key: `${namespace}/${name}`,
    id: idOf(name, namespace),
    name,
    namespace,
    task: spec.taskName,
    entry: spec.entry,
    node: spec.nodeName ?? "",
    verdict,
    isReady: (status?.conditions ?? []).some((one) => one.type === "Ready" && one.status === "True"),
    restarts: status?.restarts ?? 0,
    ports,
    usage,
    rank: byLevel(verdict.level, "bad"),
    text: [name, spec.taskName, spec.nodeName ?? "", ports, status?.ip ?? ""].join(" ").toLowerCase(),
  }
}
