/** Acting on tasks: what is asked before, what is told after, and the state that shows at once. */

import { ref } from "vue"
import { useI18n } from "vue-i18n"
import { confirm } from "@/composables/confirm"
import { useList } from "@/composables/live"
import type { Assignment, Task } from "@/lib/api/types"
import { each, type Course } from "@/lib/each"
import { grouped } from "@/lib/groups"
import { tellDone, tellFailure } from "@/lib/notices"
import { places, running, touchedServices } from "@/lib/tasks/effects"
import { doing, type Doing } from "@/lib/tasks/pending"
import { deleteTask, restartTask, setTaskState } from "@/lib/tasks/perform"
import type { TaskVerdict } from "@/lib/words/verdicts"

export interface Target {
  task: Task
  copies: readonly Assignment[]
  verdict: TaskVerdict
}

type WholeDoing = Exclude<Doing, "scale" | "rollback">

/** From so many running instances on the name must be typed before they are deleted. */
const MANY = 5
const NAMED = 8

export function useTaskActions() {
  const { t } = useI18n()
  const services = useList("services")
  const busy = ref<Doing>()

  const nameOf = ({ task }: Target): string => task.metadata.name

  /** Do it to all of them; the first failure is thrown when all have been tried. */
  async function perform(what: WholeDoing, targets: readonly Target[], course?: Course): Promise<void> {
    busy.value = what
    const work = (target: Target) =>
      doing(target.task.metadata.uid, what, target.verdict.state, () => one(what, target))
    const {
      failures: [failed],
    } = await each(targets, work, course)
    busy.value = undefined
    if (failed) throw failed.error
  }

  function one(what: WholeDoing, { task, copies }: Target): Promise<void> {
    switch (what) {
      case "start":
        return setTaskState(task, copies, "Running")
      case "stop":
        return setTaskState(task, copies, "Stopped")
      case "restart":
        return restartTask(task)
      case "delete":
        return deleteTask(task)
    }
  }

  const contextOf = (what: WholeDoing, targets: readonly Target[]) => {
    const [first] = targets
    const context = { action: what, kind: "Task" }
    return targets.length === 1 && first ? { ...context, name: nameOf(first) } : context
  }

  async function start(targets: readonly Target[]): Promise<void> {
    try {
      await perform("start", targets)
      if (targets.length > 1) tellDone(t("tasks.done.start", targets.length))
    } catch (error) {
      tellFailure(error, contextOf("start", targets))
    }
  }

  /** What ends, and what is lost with it, each a line. */
  function endings(targets: readonly Target[]): string[] {
    const alive = targets.flatMap(({ copies }) => running(copies))
    const where = places(alive)
    const named = where.slice(0, NAMED).map((place) => t("tasks.effect.place", { ...place }))
    if (where.length > NAMED) named.push(t("tasks.effect.morePlaces", where.length - NAMED))
    const list = named.join(t("words.join"))
    const ends = alive.length
      ? t("tasks.effect.ends", { count: alive.length, places: list }, alive.length)
      : t("tasks.effect.nothingRuns")
    return [ends, ...servicesLost(targets)]
  }

  function servicesLost(targets: readonly Target[]): string[] {
    const copies = targets.flatMap(({ copies: own }) => running(own))
    return [...grouped(copies, ({ metadata }) => metadata.namespace ?? "").values()].flatMap((own) =>
      touchedServices(own, services.items.value).map(({ name, lost, left }) =>
        left
          ? t("tasks.effect.someEndpoints", { name, lost, all: lost + left })
          : t("tasks.effect.allEndpoints", { name, lost }, lost),
      ),
    )
  }

  /** What is about to happen; to which tasks, where the title does not name it. */
  function textOf(targets: readonly Target[], key: string): string {
    const text = t(`tasks.ask.${key}`)
    if (targets.length === 1) return text
    const names = targets.slice(0, NAMED).map(nameOf)
    const rest = targets.length - names.length
    if (rest > 0) names.push(t("tasks.ask.more", rest))
    return t("tasks.ask.named", { names: names.join(t("words.join")), text })
  }

  const titleOf = (targets: readonly Target[], key: string): string =>
    t(
      `tasks.ask.${key}`,
      { name: targets[0] ? nameOf(targets[0]) : "", count: targets.length },
      targets.length,
    )

  function stop(targets: readonly Target[]): Promise<boolean> {
    return confirm({
      title: titleOf(targets, "stopTitle"),
      text: textOf(targets, "stopText"),
      consequences: [...endings(targets), t("tasks.effect.stays")],
      action: t("tasks.actions.stop"),
      danger: true,
      context: contextOf("stop", targets),
      perform: (course) => perform("stop", targets, course),
    })
  }

  function restart(targets: readonly Target[]): Promise<boolean> {
    const count = targets.reduce((sum, { copies }) => sum + running(copies).length, 0)
    const missing = Math.max(...targets.map(({ task }) => task.spec.strategy?.maxUnavailable ?? 1))
    return confirm({
      title: titleOf(targets, "restartTitle"),
      text: textOf(targets, "restartText"),
      consequences: [
        t("tasks.effect.replaced", { count }, count),
        t("tasks.effect.missing", { count: missing }, missing),
      ],
      action: t("tasks.actions.restart"),
      context: contextOf("restart", targets),
      perform: (course) => perform("restart", targets, course),
    })
  }

  function remove(targets: readonly Target[]): Promise<boolean> {
    const alive = targets.reduce((sum, { copies }) => sum + running(copies).length, 0)
    const [first] = targets
    const isMany = alive > MANY
    const typed = targets.length === 1 && first ? nameOf(first) : t("tasks.ask.typed", { n: targets.length })
    const question = {
      title: titleOf(targets, "deleteTitle"),
      text: textOf(targets, isMany ? "deleteTyped" : "deleteText"),
      consequences: [...endings(targets), t("tasks.effect.kept")],
      action: titleOf(targets, "deleteAction"),
      danger: true,
      context: contextOf("delete", targets),
      perform: (course: Course) => perform("delete", targets, course),
    }
    return confirm(isMany ? { ...question, typed } : question)
  }

  return { busy, start, stop, restart, remove }
}
