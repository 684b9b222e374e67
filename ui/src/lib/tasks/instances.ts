/** The instances of a task as rows, and by node. Pure. */

import type { Assignment, Node } from "@/lib/api/types"
import { grouped } from "@/lib/groups"
import { splitAssignmentName } from "@/lib/words/ids"
import {
  assignmentVerdict,
  nodeVerdict,
  type AssignmentVerdict,
  type NodeVerdict,
} from "@/lib/words/verdicts"

export interface InstanceRow {
  copy: Assignment
  name: string
  /** The end of the name, which tells copies of one entry apart. */
  suffix: string
  node: string
  verdict: AssignmentVerdict
}

export function instanceRows(
  copies: readonly Assignment[],
  nodes: ReadonlyMap<string, Node>,
  now: number,
): InstanceRow[] {
  return copies.map((copy) => {
    const { name } = copy.metadata
    const node = copy.spec.nodeName ?? ""
    const verdict = assignmentVerdict(copy, now, node ? (nodes.get(node) ?? null) : undefined)
    return { copy, name, suffix: splitAssignmentName(name).suffix, node, verdict }
  })
}

export interface NodeTile {
  /** Empty for instances that have no node yet. */
  node: string
  /** How the node is; undefined where there is none of that name. */
  verdict: NodeVerdict | undefined
  entries: { entry: string; rows: InstanceRow[] }[]
  count: number
}

/** Where the instances are: a tile a node, entries in the order of the task; those without a node come first. */
export function tiles(
  rows: readonly InstanceRow[],
  entryNames: readonly string[],
  nodes: ReadonlyMap<string, Node>,
  now: number,
): NodeTile[] {
  const places = new Map(entryNames.map((name, at) => [name, at]))
  const place = (entry: string): number => places.get(entry) ?? entryNames.length
  return [...grouped(rows, ({ node }) => node)]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([node, own]) => {
      const found = nodes.get(node)
      return {
        node,
        verdict: found ? nodeVerdict(found, now) : undefined,
        entries: [...grouped(own, ({ copy }) => copy.spec.entry)]
          .sort(([one], [other]) => place(one) - place(other))
          .map(([entry, list]) => ({ entry, rows: sorted(list) })),
        count: own.length,
      }
    })
}

const sorted = (rows: readonly InstanceRow[]): InstanceRow[] =>
  [...rows].sort(
    (one, other) => one.copy.spec.ordinal - other.copy.spec.ordinal || (one.name < other.name ? -1 : 1),
  )
