/** How the instances of a node are, and what is used of it, in words. */

import type { NodeUsage } from "@/lib/api/types"
import type { NodeHealth } from "@/lib/nodes/health"
import type { Level, Translate } from "@/lib/words/sentences"
import { formatBytes, formatCpu } from "@/lib/words/sizes"

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

/** What a bar shows: how much of all is used, and that in words. */
export interface UsedPart {
  used: number | undefined
  total: number | undefined
  text: string
}

/** What is used of a machine, part by part; nothing is known of one that has not told. */
export function usedParts(
  t: Translate,
  usage: NodeUsage | undefined,
): Record<"cpu" | "memory" | "disk", UsedPart> {
  if (!usage) {
    const unknown = { used: undefined, total: undefined, text: "–" }
    return { cpu: unknown, memory: unknown, disk: unknown }
  }
  const { cpu, cpus, memoryBytes, memoryTotalBytes, diskFreeBytes, diskTotalBytes } = usage
  return {
    cpu: {
      used: cpu,
      total: cpus,
      text: cpu === undefined ? "–" : t("nodes.details.cpuText", { used: formatCpu(cpu), total: cpus }),
    },
    memory: {
      used: memoryBytes,
      total: memoryTotalBytes,
      text: t("nodes.details.ofText", {
        used: formatBytes(memoryBytes),
        total: formatBytes(memoryTotalBytes),
      }),
    },
    disk: {
      used: diskTotalBytes - diskFreeBytes,
      total: diskTotalBytes,
      text: t("nodes.details.freeText", {
        free: formatBytes(diskFreeBytes),
        total: formatBytes(diskTotalBytes),
      }),
    },
  }
}
