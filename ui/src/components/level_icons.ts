/** The icon of each level. */

import { AlertTriangle, CheckCircle2, CircleDashed, CircleHelp, CircleStop, XCircle } from "lucide-vue-next"
import type { Component } from "vue"
import type { Level } from "@/lib/words/sentences"

export const LEVEL_ICONS: Record<Level, Component> = {
  ok: CheckCircle2,
  busy: CircleDashed,
  warn: AlertTriangle,
  bad: XCircle,
  idle: CircleStop,
  unknown: CircleHelp,
}
