import type { Level } from "./sentences"

/** From what needs a person most to what needs one least: the order of bars and legends. */
export const LEVELS: readonly Level[] = ["bad", "unknown", "warn", "busy", "idle", "ok"]
