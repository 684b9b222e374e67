/** The columns of the list of tasks. */

import type { Column } from "@/components/table/columns"
import type { TaskRow } from "@/lib/tasks/rows"
import { byLevel } from "@/lib/words/verdicts"

export function taskColumns(t: (key: string) => string, hasNamespaces: boolean): Column<TaskRow>[] {
  const namespace: Column<TaskRow> = {
    key: "namespace",
    label: t("shell.table.namespace"),
    min: 110,
    grow: 1,
    drop: 3,
    sort: ({ task }) => task.metadata.namespace ?? "",
  }
  return [
    {
      key: "name",
      label: t("tasks.columns.name"),
      min: 190,
      grow: 2,
      leads: true,
      sort: ({ task }) => task.metadata.name,
    },
    ...(hasNamespaces ? [namespace] : []),
    {
      key: "state",
      label: t("tasks.columns.state"),
      min: 166,
      sort: ({ verdict }) => byLevel(verdict.level, "bad"),
    },
    { key: "cause", label: t("tasks.columns.cause"), min: 250, grow: 3, drop: 4 },
    { key: "health", label: t("tasks.columns.health"), min: 90, grow: 0.6, drop: 2 },
    {
      key: "ready",
      label: t("tasks.columns.ready"),
      min: 72,
      align: "right",
      drop: 1,
      sort: ({ verdict: { counts } }) => (counts.desired ? counts.ready / counts.desired : 2),
    },
    {
      key: "app",
      label: t("tasks.columns.app"),
      min: 190,
      grow: 1.5,
      drop: 5,
      sort: ({ apps }) => apps[0]?.name ?? "",
    },
    {
      key: "changed",
      label: t("tasks.columns.changed"),
      min: 88,
      align: "right",
      drop: 7,
      first: "desc",
      sort: ({ changed }) => changed,
    },
    {
      key: "age",
      label: t("tasks.columns.age"),
      min: 76,
      align: "right",
      drop: 6,
      first: "desc",
      sort: ({ task }) => task.metadata.creationTimestamp,
    },
  ]
}
