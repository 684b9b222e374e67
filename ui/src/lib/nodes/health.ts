/** How the instances of each node are, counted by level. */

import type { Assignment, Node } from "@/lib/api/types"
import { assignmentVerdict, byLevel, type Level } from "@/lib/words/verdicts"

export interface LevelCount {
  level: Level
  count: number
}

export interface NodeHealth {
  count: number
  /** What needs a look first. */
  segments: LevelCount[]
}

export const NO_INSTANCES: NodeHealth = { count: 0, segments: [] }

interface Judged {
  now: number
  node: Node | undefined
  level: Level
}

/** Assignments are values: as long as one, its node and the time are the same, so is its level. */
const judged = new WeakMap<Assignment, Judged>()

function levelOf(assignment: Assignment, now: number, node: Node | undefined): Level {
  const known = judged.get(assignment)
  if (known && known.now === now && known.node === node) return known.level
  const { level } = assignmentVerdict(assignment, now, node ?? null)
  judged.set(assignment, { now, node, level })
  return level
}

/** By the node's name. `now` had better be a coarse time: each new one judges all anew. */
export function healthByNode(
  assignments: readonly Assignment[],
  nodes: readonly Node[],
  now: number,
): Map<string, NodeHealth> {
  const byName = new Map(nodes.map((node) => [node.metadata.name, node]))
  const counts = new Map<string, Map<Level, number>>()
  for (const assignment of assignments) {
    const name = assignment.spec.nodeName
    if (!name) continue
    let levels = counts.get(name)
    if (!levels) counts.set(name, (levels = new Map()))
    const level = levelOf(assignment, now, byName.get(name))
    levels.set(level, (levels.get(level) ?? 0) + 1)
  }
  return new Map([...counts].map(([name, levels]) => [name, healthOf(levels)]))
}

function healthOf(levels: ReadonlyMap<Level, number>): NodeHealth {
  const segments = [...levels]
    .map(([level, count]) => ({ level, count }))
    .sort((one, other) => byLevel(one.level, other.level))
  return { count: segments.reduce((sum, { count }) => sum + count, 0), segments }
}
