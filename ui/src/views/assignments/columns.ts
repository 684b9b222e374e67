/** The columns of the list of instances. */

import type { Column } from "@/components/table/columns"
import type { Row } from "@/lib/assignments/rows"

export function columnsOf(t: (key: string) => string, hasNamespaces: boolean): Column<Row>[] {
  const label = (key: string) => t(`assignments.columns.${key}`)
  const columns: Column<Row>[] = [
    { key: "name", label: label("name"), min: 300, grow: 3, leads: true, sort: ({ name }) => name },
    {
      key: "state",
      label: label("state"),
      min: 168,
      sort: ({ rank, verdict }) => `${rank + 10} ${verdict.state}`,
    },
    { key: "task", label: label("task"), min: 140, grow: 1.4, drop: 6, sort: ({ task }) => task },
    { key: "entry", label: label("entry"), min: 80, drop: 10, sort: ({ entry }) => entry },
    { key: "node", label: label("node"), min: 124, grow: 1.2, drop: 3, sort: ({ node }) => node },
    {
      key: "desired",
      label: label("desired"),
      min: 84,
      drop: 11,
      sort: ({ assignment }) => assignment.spec.desired ?? "",
    },
    { key: "ready", label: label("ready"), min: 60, drop: 8, sort: ({ isReady }) => Number(isReady) },
    {
      key: "restarts",
      label: label("restarts"),
      min: 76,
      align: "right",
      drop: 2,
      first: "desc",
      sort: ({ restarts }) => restarts,
    },
    { key: "ports", label: label("ports"), min: 110, grow: 1, drop: 9 },
    {
      key: "cpu",
      label: label("cpu"),
      min: 64,
      align: "right",
      drop: 5,
      first: "desc",
      sort: ({ usage }) => usage?.cpu ?? -1,
    },
    {
      key: "memory",
      label: label("memory"),
      min: 84,
      align: "right",
      drop: 4,
      first: "desc",
      sort: ({ usage }) => usage?.memoryBytes ?? -1,
    },
    {
      key: "report",
      label: label("report"),
      min: 92,
      align: "right",
      drop: 12,
      first: "desc",
      sort: ({ assignment }) => assignment.status?.reportedAt ?? "",
    },
    {
      key: "age",
      label: label("age"),
      min: 64,
      align: "right",
      drop: 7,
      first: "desc",
      sort: ({ assignment }) => assignment.metadata.creationTimestamp,
    },
    { key: "actions", label: label("actions"), isSpoken: true, min: 44, drop: 1 },
  ]
  const namespace: Column<Row> = {
    key: "namespace",
    label: label("namespace"),
    min: 100,
    grow: 1,
    drop: 7,
    sort: (row) => row.namespace,
  }
  return hasNamespaces ? columns.toSpliced(2, 0, namespace) : columns
}
