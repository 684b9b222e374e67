import type { App } from "@/lib/api/types"

/** Later uploads first. Times are whole seconds; uids of one server grow with time below that. */
export function newestFirst({ metadata: one }: App, { metadata: other }: App): number {
  if (one.creationTimestamp !== other.creationTimestamp)
    return one.creationTimestamp < other.creationTimestamp ? 1 : -1
  return one.uid < other.uid ? 1 : -1
}
