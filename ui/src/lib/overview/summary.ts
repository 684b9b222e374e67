/** The figures of the overview, from verdicts. Pure. */

import type { NodeUsage } from "@/lib/api/types"
import { LEVELS } from "@/lib/words/levels"
import type { JudgedTask, Level } from "@/lib/words/verdicts"

export interface Share {
  level: Level
  count: number
}

/** Instances by how they are, from the health bars of all tasks. */
export function instanceShares(tasks: readonly JudgedTask[]): Share[] {
  const counts = new Map<Level, number>()
  for (const { verdict } of tasks) {
    for (const { level, count } of verdict.segments) counts.set(level, (counts.get(level) ?? 0) + count)
  }
  return inOrder(counts)
}

/** How many there are of each level, those that need a person first. */
export function shares(levels: Readonly<Record<Level, number>>): Share[] {
  return inOrder(new Map(Object.entries(levels) as [Level, number][]))
}

function inOrder(counts: ReadonlyMap<Level, number>): Share[] {
  return LEVELS.flatMap((level) => {
    const count = counts.get(level) ?? 0
    return count ? [{ level, count }] : []
  })
}

export interface Capacity {
  cpu: number
  cpus: number
  memory: number
  memoryTotal: number
  /** Nodes that have told. */
  nodes: number
}

/** What the nodes together have, and what of it is in use. Nodes that share a machine each tell of all of it. */
export function capacityOf(usage: Iterable<NodeUsage>): Capacity {
  const sum: Capacity = { cpu: 0, cpus: 0, memory: 0, memoryTotal: 0, nodes: 0 }
  for (const node of usage) {
    sum.cpu += node.cpu ?? 0
    sum.cpus += node.cpus
    sum.memory += node.memoryBytes
    sum.memoryTotal += node.memoryTotalBytes
    sum.nodes += 1
  }
  return sum
}
