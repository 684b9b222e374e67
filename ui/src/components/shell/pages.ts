/** The pages that the navigation leads to, with the second key of their shortcut (`g t`). */

import {
  Activity,
  Boxes,
  Cpu,
  LayoutDashboard,
  ListChecks,
  Network,
  Package,
  Settings,
} from "lucide-vue-next"
import type { Component } from "vue"

export interface Page {
  name: "overview" | "tasks" | "assignments" | "nodes" | "apps" | "services" | "events" | "settings"
  path: string
  key: string
  icon: Component
}

export const PAGES: readonly Page[] = [
  { name: "overview", path: "/", key: "o", icon: LayoutDashboard },
  { name: "tasks", path: "/tasks", key: "t", icon: ListChecks },
  { name: "assignments", path: "/assignments", key: "i", icon: Boxes },
  { name: "nodes", path: "/nodes", key: "n", icon: Cpu },
  { name: "apps", path: "/apps", key: "a", icon: Package },
  { name: "services", path: "/services", key: "s", icon: Network },
  { name: "events", path: "/events", key: "e", icon: Activity },
  { name: "settings", path: "/settings", key: ",", icon: Settings },
]
