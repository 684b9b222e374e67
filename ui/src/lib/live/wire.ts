/** What the server sends: a page of a list, and the lines of a watch. */

import type { ApiObject } from "./collection"

export interface WatchLine {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR"
  object: ApiObject & Failed
}

export interface ListPage {
  metadata: { resourceVersion: string; continue?: string }
  items: ApiObject[]
}

interface Failed {
  code?: number
  message?: string
}

/** The sentence of a refusal; empty where it has none. */
export async function sentenceOf(response: Response): Promise<string> {
  const status: unknown = await response.json().catch(() => undefined)
  const isSaid = typeof status === "object" && status !== null && "message" in status
  return isSaid && typeof status.message === "string" ? status.message : ""
}

/** Whether the version to go on from is one that the server does not have: not any more, or not yet. */
export function isForgotten({ code, message }: Failed): boolean {
  return code === 410 || (code === 504 && (message ?? "").startsWith("Too large resource version"))
}
