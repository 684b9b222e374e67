/** How the instances of a node are, in words. */

import type { NodeHealth } from "@/lib/nodes/health"
import type { Level, Translate } from "@/lib/words/sentences"

const SEGMENTS: Record<Level, string> = {
  ok: "words.segment.ready",
  busy: "words.segment.preparing",
  warn: "words.segment.warn",
  bad: "words.segment.bad",
  unknown: "words.segment.unknown",
  idle: "words.segment.stopped",
}

export function healthLabel(t: Translate, { segments }: NodeHealth): string {
  if (!segments.length) return t("nodes.noInstances", {})
  return segments.map(({ level, count }) => t(SEGMENTS[level], { count })).join(t("words.join", {}))
}
