/** Uploaded apps as they are picked from: names, and the versions of each, newest upload first. */

import type { App } from "@/lib/api/types"
import { newestFirst } from "@/lib/apps/order"

interface AppChoice {
  name: string
  versions: readonly App[]
}

/** The apps of a namespace, those uploaded last first; of each version the newest upload. */
export function appChoices(apps: readonly App[], namespace: string): AppChoice[] {
  const found = new Map<string, Map<string, App>>()
  const sorted = apps
    .filter((app) => app.metadata.namespace === namespace && !app.metadata.deletionTimestamp)
    .sort(newestFirst)
  for (const app of sorted) {
    const versions = found.get(app.spec.name) ?? new Map<string, App>()
    if (!versions.has(app.spec.version)) versions.set(app.spec.version, app)
    found.set(app.spec.name, versions)
  }
  return [...found].map(([name, versions]) => ({ name, versions: [...versions.values()] }))
}

/** The upload that a reference means. */
export function newestUpload(
  apps: readonly App[],
  name: string,
  version: string,
  namespace: string | undefined,
): App | undefined {
  return appChoices(apps, namespace ?? "")
    .find((choice) => choice.name === name)
    ?.versions.find((app) => app.spec.version === version)
}
