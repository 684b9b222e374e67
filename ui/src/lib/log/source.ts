/** Which log: that of one instance. */

import { request } from "../api/client"
import { objectPath } from "../api/kinds"

export interface LogSource {
  namespace: string
  name: string
}

export function logPath({ namespace, name }: LogSource, query: Record<string, string>): string {
  return `${objectPath("assignments", name, namespace, "log")}?${new URLSearchParams(query).toString()}`
}

/** Ask for it; the body may go on for ever. Throws ApiFailure. */
export async function openLog(
  source: LogSource,
  query: Record<string, string>,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const { body } = await request(logPath(source, query), { signal, accept: "text/plain", timeout: 0 })
  return body ?? new Blob([]).stream()
}
