/**
 * What nodes and instances use. Usage is stored nowhere and cannot be watched, so it is the one thing that is asked
 * for again and again: as often as agents report, while somebody looks.
 */

import { onScopeDispose, shallowRef, type ShallowRef } from "vue"
import { json } from "@/lib/api/client"
import type { InstanceUsage, NodeUsage, UsageList } from "@/lib/api/types"

const EVERY_MS = 15_000

export interface Usage {
  nodes: ReadonlyMap<string, NodeUsage>
  /** By `namespace/name`. */
  instances: ReadonlyMap<string, InstanceUsage>
  loaded: boolean
}

const usage = shallowRef<Usage>({ nodes: new Map(), instances: new Map(), loaded: false })
let users = 0
let timer: ReturnType<typeof setInterval> | undefined
let asking = false

async function ask(): Promise<void> {
  if (document.hidden || asking) return
  asking = true
  try {
    const found = await json<UsageList>("/apis/plum.dev/v1/usage?limit=5000")
    usage.value = {
      nodes: new Map((found.nodes ?? []).map((node) => [node.name, node])),
      instances: new Map(found.items.map((item) => [`${item.namespace}/${item.name}`, item])),
      loaded: true,
    }
  } catch {
    // What was known grows old; the connection's state says why.
  } finally {
    asking = false
  }
}

/** The usage of the fleet while the component is shown. */
export function useUsage(): ShallowRef<Usage> {
  users += 1
  if (users === 1) {
    timer = setInterval(() => void ask(), EVERY_MS)
    void ask()
  }
  onScopeDispose(() => {
    users -= 1
    if (users === 0) clearInterval(timer)
  })
  return usage
}
