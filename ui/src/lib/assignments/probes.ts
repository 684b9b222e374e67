/** Probes, each in a line: what it asks, and how often. Pure. */

import type { Assignment } from "../api/types"

type Probes = NonNullable<Assignment["spec"]["template"]["probes"]>

export interface ProbeLine {
  kind: "startup" | "readiness" | "liveness"
  asks: string
  seconds: number
}

export function probesOf(probes: Probes | undefined): ProbeLine[] {
  return (["startup", "readiness", "liveness"] as const).flatMap((kind) => {
    const probe = probes?.[kind]
    if (!probe) return []
    return [{ kind, asks: asks(probe), seconds: probe.periodSeconds }]
  })
}

function asks({ httpGet, tcpSocket, exec }: NonNullable<Probes["startup"]>): string {
  if (httpGet) return `GET ${httpGet.scheme}://${httpGet.host || "127.0.0.1"}:${httpGet.port}${httpGet.path}`
  if (tcpSocket) return `TCP ${tcpSocket.host || "127.0.0.1"}:${tcpSocket.port}`
  return exec?.command.join(" ") ?? ""
}
