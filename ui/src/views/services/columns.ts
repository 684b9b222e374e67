/** The columns of the list of services. */

import type { Column } from "@/components/table/columns"
import type { Service } from "@/lib/api/types"
import { byLevel, type ServiceVerdict } from "@/lib/words/verdicts"

export interface ServiceRow {
  key: string
  service: Service
  name: string
  namespace: string
  to: string
  verdict: ServiceVerdict
  ready: number
  count: number
  offers: string[]
  selector: Record<string, string>
  origin: "derived" | "own"
}

export function serviceColumns(t: (key: string) => string): Column<ServiceRow>[] {
  return [
    { key: "name", label: t("services.columns.name"), min: 130, grow: 2, sort: ({ name }) => name },
    {
      key: "state",
      label: t("services.columns.state"),
      min: 152,
      sort: ({ verdict }) => byLevel(verdict.level, "bad"),
    },
    {
      key: "endpoints",
      label: t("services.columns.endpoints"),
      min: 176,
      grow: 1,
      drop: 1,
      first: "desc",
      sort: ({ count }) => count,
    },
    { key: "ports", label: t("services.columns.ports"), min: 110, grow: 1, drop: 2 },
    { key: "selector", label: t("services.columns.selector"), min: 180, grow: 2, drop: 4 },
    {
      key: "origin",
      label: t("services.columns.origin"),
      min: 116,
      drop: 5,
      sort: (row) => row.origin,
    },
    {
      key: "age",
      label: t("services.columns.age"),
      min: 84,
      align: "right",
      drop: 3,
      first: "desc",
      sort: ({ service }) => service.metadata.creationTimestamp,
    },
  ]
}
