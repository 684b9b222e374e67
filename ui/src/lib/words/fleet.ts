/** Is anything wrong, and what? The headline of the overview. */
import { grouped } from "../groups"
import { nodeVerdict, type NodeVerdict } from "./nodes"
import type { AssignmentLike, NodeLike, TaskLike } from "./objects"
import { sentence, worst, type Level, type Sentence } from "./sentences"
import { byTrouble, taskVerdict, type TaskVerdict } from "./tasks"

export interface JudgedTask<T extends TaskLike = TaskLike> {
  task: T
  name: string
  namespace: string
  verdict: TaskVerdict
}

export interface JudgedNode<N extends NodeLike = NodeLike> {
  node: N
  name: string
  verdict: NodeVerdict
}

export interface FleetVerdict<T extends TaskLike = TaskLike, N extends NodeLike = NodeLike> {
  level: Level
  /** Parts of one sentence, to be joined by `sayAll`. */
  headline: Sentence[]
  /** What needs a look first. */
  tasks: JudgedTask<T>[]
  nodes: JudgedNode<N>[]
  taskLevels: Record<Level, number>
  nodeLevels: Record<Level, number>
}

export function fleetVerdict<T extends TaskLike, N extends NodeLike>(
  tasks: readonly T[],
  assignments: readonly AssignmentLike[],
  nodes: readonly N[],
  now: number,
): FleetVerdict<T, N> {
  const byName = new Map(nodes.map((node) => [node.metadata?.name ?? "", node]))
  const copies = copiesByTask(assignments)
  const judgedTasks = tasks.map((task) => {
    const { name = "", namespace = "" } = task.metadata ?? {}
    const own = copies.get(`${namespace}/${name}`) ?? []
    return { task, name, namespace, verdict: taskVerdict(task, own, byName, now) }
  })
  const judgedNodes = nodes.map((node) => {
    return { node, name: node.metadata?.name ?? "", verdict: nodeVerdict(node, now) }
  })
  const taskLevels = levelsOf(judgedTasks)
  const nodeLevels = levelsOf(judgedNodes)
  return {
    level: levelOf(judgedTasks, judgedNodes),
    headline: headline(judgedTasks, judgedNodes),
    tasks: judgedTasks.sort(byTrouble),
    nodes: judgedNodes,
    taskLevels,
    nodeLevels,
  }
}

/** The copies of each task, by `namespace/name`. */
export function copiesByTask<A extends AssignmentLike>(assignments: readonly A[]): Map<string, A[]> {
  return grouped(assignments, ({ metadata, spec }) => `${metadata?.namespace ?? ""}/${spec.taskName}`)
}

type Judged = { verdict: { level: Level; state: string } }

function levelsOf(judged: readonly Judged[]): Record<Level, number> {
  const levels: Record<Level, number> = { ok: 0, busy: 0, warn: 0, bad: 0, idle: 0, unknown: 0 }
  for (const { verdict } of judged) levels[verdict.level] += 1
  return levels
}

const count = (judged: readonly Judged[], ...states: string[]): number =>
  judged.filter(({ verdict }) => states.includes(verdict.state)).length

/** What somebody did on purpose, such as a cordon, does not make the fleet unwell. */
function levelOf(tasks: readonly Judged[], nodes: readonly Judged[]): Level {
  const levels = tasks.map(({ verdict }) => verdict.level)
  if (count(nodes, "lost")) levels.push("bad")
  if (!nodes.length) levels.push(tasks.length ? "bad" : "idle")
  return worst(levels, "ok") === "idle" && nodes.length ? "ok" : worst(levels, "ok")
}

function headline(tasks: readonly Judged[], nodes: readonly Judged[]): Sentence[] {
  if (!nodes.length) return [sentence("fleet.noNodes")]
  const parts: Sentence[] = []
  const tell = (key: string, count: number) => {
    if (count) parts.push(sentence(`fleet.${key}`, { count }))
  }
  tell("down", count(tasks, "down", "lost", "appMissing"))
  tell("cannotPlace", count(tasks, "cannotPlace"))
  tell("degraded", count(tasks, "degraded"))
  tell("lostNodes", count(nodes, "lost"))
  if (parts.length) return parts
  if (!tasks.length) return [sentence("fleet.noTasks")]
  const busy = tasks.filter(({ verdict }) => verdict.level === "busy").length
  return [sentence(busy ? "fleet.busy" : "fleet.well", { count: busy || tasks.length })]
}
