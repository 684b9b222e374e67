/** The columns of the list of nodes. */

import type { Column } from "@/components/table/columns"
import type { Node, NodeUsage } from "@/lib/api/types"
import type { NodeHealth } from "@/lib/nodes/health"
import { byLevel, type NodeVerdict } from "@/lib/words/verdicts"

export interface NodeRow {
  node: Node
  name: string
  verdict: NodeVerdict
  health: NodeHealth
  usage: NodeUsage | undefined
}

const share = (used: number | undefined, total: number | undefined): number =>
  used === undefined || !total ? -1 : used / total

export function nodeColumns(t: (key: string) => string): Column<NodeRow>[] {
  return [
    { key: "name", label: t("nodes.columns.name"), min: 124, grow: 1, leads: true, sort: ({ name }) => name },
    {
      key: "state",
      label: t("nodes.columns.state"),
      min: 122,
      sort: ({ verdict }) => byLevel(verdict.level, "bad"),
    },
    {
      key: "instances",
      label: t("nodes.columns.instances"),
      min: 130,
      grow: 0.6,
      drop: 1,
      first: "desc",
      sort: ({ health: { count } }) => count,
    },
    {
      key: "cpu",
      label: t("nodes.columns.cpu"),
      min: 108,
      grow: 0.4,
      drop: 3,
      first: "desc",
      sort: ({ usage: used }) => share(used?.cpu, used?.cpus),
    },
    {
      key: "memory",
      label: t("nodes.columns.memory"),
      min: 108,
      grow: 0.4,
      drop: 4,
      first: "desc",
      sort: ({ usage: used }) => share(used?.memoryBytes, used?.memoryTotalBytes),
    },
    {
      key: "disk",
      label: t("nodes.columns.disk"),
      min: 108,
      grow: 0.4,
      drop: 7,
      first: "desc",
      sort: ({ usage: used }) =>
        share(used && used.diskTotalBytes - used.diskFreeBytes, used?.diskTotalBytes),
    },
    { key: "labels", label: t("nodes.columns.labels"), min: 240, grow: 2, drop: 6 },
    {
      key: "address",
      label: t("nodes.columns.address"),
      min: 118,
      drop: 5,
      sort: ({ node }) => node.status?.ip ?? "",
    },
    {
      key: "age",
      label: t("nodes.columns.age"),
      min: 84,
      align: "right",
      drop: 8,
      first: "desc",
      sort: ({ node }) => node.metadata.creationTimestamp,
    },
  ]
}
