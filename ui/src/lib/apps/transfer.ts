/** Sending one archive to the server, with progress. The server reads its meta.ini and says which app it is. */

import { ApiFailure } from "@/lib/api/client"
import { doubt, token } from "@/lib/api/session"
import type { Status } from "@/lib/api/types"

/** The App that an archive became. */
export interface Uploaded {
  artifactId: string
  name: string
  version: string
  sha256: string
  sizeBytes: number
}

export interface Transfer {
  done: Promise<Uploaded>
  cancel: () => void
}

/** `fetch` tells nothing of how much has been sent; XMLHttpRequest does. */
export function send(file: File, namespace: string, onProgress: (sent: number) => void): Transfer {
  const xhr = new XMLHttpRequest()
  const done = new Promise<Uploaded>((resolve, reject) => {
    xhr.open("POST", `/v1/apps/upload?namespace=${encodeURIComponent(namespace)}`)
    if (token.value) xhr.setRequestHeader("authorization", `Bearer ${token.value}`)
    // The form around the file is in the count.
    xhr.upload.onprogress = ({ loaded }) => onProgress(Math.min(loaded, file.size))
    xhr.onload = () => {
      if (xhr.status === 401) doubt()
      try {
        resolve(readAnswer(xhr.status, xhr.responseText))
      } catch (error) {
        reject(error)
      }
    }
    xhr.onerror = () => reject(new ApiFailure(""))
    xhr.onabort = () => reject(new DOMException("", "AbortError"))
    const form = new FormData()
    form.append("file", file, file.name)
    xhr.send(form)
  })
  return { done, cancel: () => xhr.abort() }
}

/** What the server said: an app, or one line of text. Throws ApiFailure. */
export function readAnswer(code: number, text: string): Uploaded {
  if (code >= 200 && code < 300) return JSON.parse(text) as Uploaded
  const status: Status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    code,
    message: text.slice(0, 500).trim(),
  }
  throw new ApiFailure(status.message ?? "", status)
}

/** Zip archives begin so: with an entry, or with the end where there is none. */
const STARTS = ["PK\u0003\u0004", "PK\u0005\u0006"]

export type FileProblem = "empty" | "notZip" | "unreadable"

/** What can be told of a file before it is sent. A folder that was dropped cannot be read. */
export async function problemOf(file: Blob): Promise<FileProblem | undefined> {
  try {
    if (!file.size) return "empty"
    const start = new Uint8Array(await file.slice(0, 4).arrayBuffer())
    return STARTS.includes(String.fromCharCode(...start)) ? undefined : "notZip"
  } catch {
    return "unreadable"
  }
}

/** Whether the same file may be taken another time: nobody has judged it. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof ApiFailure)) return true
  return [0, 401, 408, 429].includes(error.httpCode) || error.httpCode >= 500
}

/** What was there before an upload. */
export interface Before {
  /** Names of the App objects. */
  names: ReadonlySet<string>
  /** `name version` of the apps. */
  versions: ReadonlySet<string>
}

/** What an upload changed: there is a new version, another content of one that was there, or nothing new. */
export type Outcome = "done" | "replaced" | "known"

export function outcomeOf({ artifactId, name, version }: Uploaded, before: Before): Outcome {
  if (before.names.has(artifactId)) return "known"
  return before.versions.has(`${name} ${version}`) ? "replaced" : "done"
}
