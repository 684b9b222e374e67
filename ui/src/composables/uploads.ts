/** Archives being uploaded. They go on while people look at other pages, so they are the application's, not a page's. */

import { computed, reactive, type ComputedRef } from "vue"
import { remaining, sampled, speed, type Sample } from "@/lib/apps/speed"
import {
  mayPass,
  outcomeOf,
  problemOf,
  send,
  type Before,
  type FileProblem,
  type Outcome,
  type Uploaded,
} from "@/lib/apps/transfer"

export interface Upload {
  readonly id: number
  readonly file: string
  readonly size: number
  readonly namespace: string
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
  outcome?: Outcome
  /** Whether the same may be tried once more. */
  mayPass?: boolean
}

/** So many at a time: more would only share the same line. */
const AT_ONCE = 2

export interface Uploads {
  uploads: readonly Upload[]
  isBusy: ComputedRef<boolean>
  /** Begin; `before` is what there is in the namespace. */
  add: (chosen: Iterable<File>, namespace: string, before: Before) => void
  /** Try once more what may pass. */
  retry: (id: number) => void
  /** Break off, or take it from the list when it is over. */
  remove: (id: number) => void
  /** Take all from the list that are over. */
  clear: () => void
}

interface Source {
  file: File
  before: Before
  cancel?: () => void
}

const uploads = reactive<Upload[]>([])
const sources = new Map<number, Source>()
let next = 1

export const isOver = ({ state }: Upload): boolean => state === "done" || state === "failed"

function add(chosen: Iterable<File>, namespace: string, before: Before): void {
  for (const file of chosen) {
    const id = next++
    sources.set(id, { file, before })
    uploads.push({ id, file: file.name, size: file.size, namespace, state: "waiting", sent: 0 })
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

function retry(id: number): void {
  const upload = uploads.find((one) => one.id === id)
  if (!upload?.mayPass) return
  Object.assign(upload, { state: "waiting", sent: 0, error: undefined, mayPass: false })
  proceed()
}

async function perform(upload: Upload, source: Source): Promise<void> {
  const { file, before } = source
  try {
    const problem = await problemOf(file)
    // It was given up while the file was looked at.
    if (!sources.has(upload.id)) return
    if (problem) {
      upload.problem = problem
      upload.state = "failed"
      return
    }
    let samples: Sample[] = sampled([], { at: performance.now(), sent: 0 })
    const transfer = send(file, upload.namespace, (sent) => {
      samples = sampled(samples, { at: performance.now(), sent })
      upload.sent = sent
      upload.speed = speed(samples)
      upload.rest = remaining(file.size, sent, upload.speed)
      // All is sent; now the server looks into it.
      if (sent >= file.size) upload.state = "checking"
    })
    source.cancel = transfer.cancel
    upload.made = await transfer.done
    upload.outcome = outcomeOf(upload.made, before)
    upload.sent = file.size
    upload.state = "done"
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") forget(upload.id)
    else {
      upload.error = error
      upload.mayPass = mayPass(error)
      upload.state = "failed"
    }
  } finally {
    delete source.cancel
    if (!upload.mayPass) sources.delete(upload.id)
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
  return { uploads, isBusy, add, retry, remove, clear }
}
