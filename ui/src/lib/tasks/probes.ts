/** A probe as a phrase. Pure. */

import type { Entry } from "@/lib/api/types"
import type { Sentence } from "@/lib/words/sentences"

type Probes = NonNullable<Entry["probes"]>
type Probe = NonNullable<Probes["readiness"]>

const PROBE_KINDS = ["startup", "readiness", "liveness"] as const

export interface ProbePhrase {
  kind: (typeof PROBE_KINDS)[number]
  how: Sentence
  often: Sentence
}

export function probePhrases(probes: Entry["probes"]): ProbePhrase[] {
  return PROBE_KINDS.flatMap((kind) => {
    const probe = probes?.[kind]
    return probe ? [{ kind, how: how(probe), often: often(probe) }] : []
  })
}

function how({ httpGet, tcpSocket, exec }: Probe): Sentence {
  if (httpGet) {
    const { path, port, scheme, host } = httpGet
    return {
      key: host ? "tasks.probe.httpAt" : "tasks.probe.http",
      params: { path, port, scheme: scheme.toUpperCase(), host: host ?? "" },
    }
  }
  if (tcpSocket) return { key: "tasks.probe.tcp", params: { port: tcpSocket.port } }
  return { key: "tasks.probe.exec", params: { command: (exec?.command ?? []).join(" ") } }
}

const often = ({ periodSeconds, failureThreshold }: Probe): Sentence => ({
  key: "tasks.probe.often",
  params: { seconds: periodSeconds, count: failureThreshold },
})
