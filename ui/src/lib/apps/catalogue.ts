/** Uploads grouped by the app they are of, with what uses each. Pure. */

import type { App, Assignment, Task } from "@/lib/api/types"
import { grouped } from "@/lib/groups"
import { newestFirst } from "./order"

/** An entry of a task that names an upload: by name and version, or by the digest of its archive. */
export interface TaskUse {
  namespace: string
  task: string
  entries: string[]
}

export interface VersionRow {
  /** `namespace/name` of the App object. */
  key: string
  app: App
  name: string
  version: string
  namespace: string
  /** Whether tasks that name the version mean this upload: a later one of the same version takes its place. */
  isCurrent: boolean
  tasks: TaskUse[]
  instances: Assignment[]
}

export interface AppRow {
  name: string
  /** Newest first; never empty. */
  versions: VersionRow[]
  newest: VersionRow
  /** Different versions; the same one may have been uploaded more than once. */
  versionCount: number
  /** Tasks that use any of them, by `namespace/name`. */
  tasks: Set<string>
  instanceCount: number
}

const pair = (namespace: string, name: string, version: string): string =>
  JSON.stringify([namespace, name, version])

class Uses {
  private readonly byPair = new Map<string, Map<string, TaskUse>>()
  private readonly byDigest = new Map<string, Map<string, TaskUse>>()
  private readonly instances: ReadonlyMap<string, Assignment[]>

  constructor(tasks: readonly Task[], assignments: readonly Assignment[]) {
    for (const task of tasks) {
      const { namespace = "", name } = task.metadata
      for (const { app, artifactUrl, sha256, name: entry } of task.spec.entries) {
        if (app) note(this.byPair, pair(namespace, app.name, app.version), namespace, name, entry ?? "main")
        const digest = sha256 || /\/artifacts\/sha256\/([0-9a-f]{64})$/.exec(artifactUrl ?? "")?.[1]
        if (digest) note(this.byDigest, digest, namespace, name, entry ?? "main")
      }
    }
    this.instances = grouped(assignments, ({ spec }) => spec.template.sha256)
  }

  tasksOf({ metadata, spec }: App): TaskUse[] {
    const named = this.byPair.get(pair(metadata.namespace ?? "", spec.name, spec.version))
    const pinned = this.byDigest.get(spec.sha256)
    return [...new Map([...(named ?? []), ...(pinned ?? [])]).values()]
  }

  /** One archive may be several uploads: what a copy says it is decides, where it says it. */
  instancesOf({ metadata, spec }: App): Assignment[] {
    const running = this.instances.get(spec.sha256) ?? []
    return running.filter(({ metadata: { namespace }, spec: { template } }) => {
      if (!template.appName) return true
      return (
        namespace === metadata.namespace &&
        template.appName === spec.name &&
        template.appVersion === spec.version
      )
    })
  }
}

function note(
  uses: Map<string, Map<string, TaskUse>>,
  key: string,
  namespace: string,
  task: string,
  entry: string,
): void {
  let found = uses.get(key)
  if (!found) uses.set(key, (found = new Map()))
  const known = found.get(`${namespace}/${task}`)
  if (known) known.entries.push(entry)
  else found.set(`${namespace}/${task}`, { namespace, task, entries: [entry] })
}

export function catalogue(
  apps: readonly App[],
  tasks: readonly Task[],
  assignments: readonly Assignment[],
): AppRow[] {
  const uses = new Uses(tasks, assignments)
  const rows = apps.map((app): VersionRow => {
    const { namespace = "", name } = app.metadata
    return {
      key: `${namespace}/${name}`,
      app,
      name: app.spec.name,
      version: app.spec.version,
      namespace,
      isCurrent: true,
      tasks: uses.tasksOf(app),
      instances: uses.instancesOf(app),
    }
  })
  return [...grouped(rows, ({ name }) => name)].flatMap(([name, versions]) => {
    const sorted = versions.sort((one, other) => newestFirst(one.app, other.app))
    const [newest] = sorted
    return newest ? [appRow(name, sorted, newest)] : []
  })
}

function appRow(name: string, versions: VersionRow[], newest: VersionRow): AppRow {
  const seen = new Set<string>()
  for (const row of versions) {
    const key = pair(row.namespace, name, row.version)
    row.isCurrent = !seen.has(key)
    seen.add(key)
  }
  return {
    name,
    versions,
    newest,
    versionCount: new Set(versions.map(({ version }) => version)).size,
    tasks: new Set(
      versions.flatMap(({ tasks }) => tasks.map(({ namespace, task }) => `${namespace}/${task}`)),
    ),
    instanceCount: versions.reduce((sum, { instances }) => sum + instances.length, 0),
  }
}
