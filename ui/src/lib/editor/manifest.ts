/** A stored task as a text to be edited, and back: what the server keeps account of is neither shown nor lost. */

import type { Task } from "@/lib/api/types"
import { DEFAULT_NAMESPACE } from "@/lib/addresses"
import { at, isMapping, textOf, type Mapping } from "./values"

/** Metadata that people write; the rest is the server's. */
const WRITTEN = ["name", "namespace", "labels", "annotations"] as const

/** Annotations that hold a copy of the object for a program. */
const HIDDEN_ANNOTATIONS = ["kubectl.kubernetes.io/last-applied-configuration"]

/** What a person edits of a stored task. */
export function manifestOf(task: Task): Mapping {
  const metadata: Record<string, unknown> = {}
  for (const key of WRITTEN) {
    const value = task.metadata[key]
    if (key === "annotations") {
      const shown = Object.entries(task.metadata.annotations ?? {}).filter(
        ([name]) => !HIDDEN_ANNOTATIONS.includes(name),
      )
      if (shown.length) metadata[key] = Object.fromEntries(shown)
    } else if (value !== undefined && !(isMapping(value) && !Object.keys(value).length)) metadata[key] = value
  }
  return { apiVersion: task.apiVersion, kind: task.kind, metadata, spec: task.spec }
}

export interface Version {
  uid: string
  resourceVersion: string
}

/**
 * The edited document as it is sent in the place of the stored one, of which it keeps what was not shown. `version`
 * says in the place of which very version.
 */
export function replacementOf(edited: unknown, stored: Task, version: Version): object {
  if (!isMapping(edited)) return {}
  const metadata = isMapping(edited["metadata"]) ? edited["metadata"] : {}
  const hidden = Object.entries(stored.metadata.annotations ?? {}).filter(([name]) =>
    HIDDEN_ANNOTATIONS.includes(name),
  )
  const annotations = isMapping(metadata["annotations"]) ? metadata["annotations"] : {}
  const kept: Record<string, unknown> = { ...metadata }
  kept["uid"] = version.uid
  kept["resourceVersion"] = version.resourceVersion
  for (const key of ["finalizers", "ownerReferences"] as const) {
    if (stored.metadata[key]?.length) kept[key] = stored.metadata[key]
  }
  if (hidden.length) kept["annotations"] = { ...annotations, ...Object.fromEntries(hidden) }
  return { ...edited, metadata: kept }
}

/** Where a new object goes. */
export function namespaceOf(manifest: unknown): string {
  return textOf(at(manifest, ["metadata", "namespace"])) || DEFAULT_NAMESPACE
}

export function nameOf(manifest: unknown): string {
  return textOf(at(manifest, ["metadata", "name"]))
}

/** A manifest for another task like this one. */
export function copyOf(task: Task): Mapping {
  const manifest = manifestOf(task)
  const metadata: Record<string, unknown> = { ...(manifest["metadata"] as Mapping), name: "" }
  delete metadata["annotations"]
  return { ...manifest, metadata }
}
