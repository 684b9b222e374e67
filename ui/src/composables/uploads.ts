/** Archives being uploaded. They go on while people look at other pages, so they are the application's, not a page's. */

import { computed, reactive, type ComputedRef } from "vue"
import { DEFAULT_NAMESPACE } from "@/lib/addresses"
import type { App } from "@/lib/api/types"
import { remaining, sampled, speed, type Sample } from "@/lib/apps/speed"
import { problemOf, send, type FileProblem, type Uploaded } from "@/lib/apps/transfer"

export interface Upload {
  readonly id: number
  readonly file: string
  readonly size: number
  state: "waiting" | "sending" | "checking" | "done" | "failed"
  sent: number
  /** Bytes a second. */
  speed?: number | undefined
  /** Milliseconds until all is sent. */
  rest?: number | undefined
  /** What keeps the file from being sent at all. */
  problem?: FileProblem
  error?: unknown
  made?: Uploaded
  /** Whether the server had this very archive already. */
  isKnown?: boolean
}

/** So many at a time: more would only share the same line. */
const AT_ONCE = 2

export interface Uploads {
  uploads: readonly Upload[]
  isBusy: ComputedRef<boolean>
  /** Begin; `apps` are those that there are. */
  add: (chosen: Iterable<File>, apps: readonly App[]) => void
  /** Break off, or take it from the list when it is over. */
  remove: (id: number) => void
  /** Take all from the list that are over. */
  clear: () => void
}

interface Source {
  file: File
  /** Names of the App objects that were there before. */
  before: ReadonlySet<string>
  cancel?: () => void
}

const uploads = reactive<Upload[]>([])
const sources = new Map<number, Source>()
let next = 1

export const isOver = ({ state }: Upload): boolean => state === "done" || state === "failed"

function add(chosen: Iterable<File>, apps: readonly App[]): void {
  // What is uploaded goes to the default namespace: /v1 names no other.
  const there = apps.filter(({ metadata }) => metadata.namespace === DEFAULT_NAMESPACE)
  const before = new Set(there.map(({ metadata }) => metadata.name))
  for (const file of chosen) {
    const id = next++
    sources.set(id, { file, before })
    uploads.push({ id, file: file.name, size: file.size, state: "waiting", sent: 0 })
  }
  proceed()
}

function proceed(): void {
  const active = uploads.filter(({ state }) => state === "sending" || state === "checking").length
  for (const upload of uploads.filter(({ state }) => state === "waiting").slice(0, AT_ONCE - active)) {
    const source = sources.get(upload.id)
    if (!source) continue
    upload.state = "sending"
    void perform(upload, source)
  }
}

async function perform(upload: Upload, source: Source): Promise<void> {
  const { file, before } = source
  try {
    const problem = await problemOf(file)
    if (problem) {
      upload.problem = problem
      upload.state = "failed"
      return
    }
    let samples: Sample[] = sampled([], { at: performance.now(), sent: 0 })
    const transfer = send(file, (sent) => {
      samples = sampled(samples, { at: performance.now(), sent })
      upload.sent = sent
      upload.speed = speed(samples)
      upload.rest = remaining(file.size, sent, upload.speed)
      // All is sent; now the server looks into it.
      if (sent >= file.size) upload.state = "checking"
    })
    source.cancel = transfer.cancel
    upload.made = await transfer.done
    upload.isKnown = before.has(upload.made.artifactId)
    upload.sent = file.size
    upload.state = "done"
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") forget(upload.id)
    else {
      upload.error = error
      upload.state = "failed"
    }
  } finally {
    sources.delete(upload.id)
    proceed()
  }
}

function forget(id: number): void {
  sources.delete(id)
  const at = uploads.findIndex((upload) => upload.id === id)
  if (at >= 0) uploads.splice(at, 1)
}

function remove(id: number): void {
  const cancel = sources.get(id)?.cancel
  if (cancel) cancel()
  else forget(id)
}

function clear(): void {
  for (const { id } of uploads.filter(isOver)) forget(id)
}

const isBusy = computed(() => uploads.some((upload) => !isOver(upload)))

export function useUploads(): Uploads {
  return { uploads, isBusy, add, remove, clear }
}
