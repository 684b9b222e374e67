/**
 * Requests to the API: every answer that is not a success is an `ApiFailure` with the server's Status, and every
 * request has a timeout.
 */

import { collectionPath, objectPath, type Plural } from "./kinds"
import { doubt, token } from "./session"
import type { ObjectOf, Status } from "./types"

/** The field manager of what people do in the UI (server-side apply, WIRE 8). */
const FIELD_MANAGER = "plum-ui"

const TIMEOUT_MS = 30_000

/** What a request failed with. `name` is TimeoutError where nobody answered in time, else ApiFailure. */
export class ApiFailure extends Error {
  /** The server's Status; undefined where there was no answer. */
  readonly status: Status | undefined

  constructor(message: string, status?: Status, name = "ApiFailure") {
    super(message)
    this.name = name
    this.status = status
  }

  /** The HTTP code, or 0 where there was no answer. */
  get httpCode(): number {
    return this.status?.code ?? 0
  }
}

export interface Options {
  method?: string
  body?: BodyInit | object
  contentType?: string
  accept?: string
  signal?: AbortSignal
  /** Another token than that of the session. */
  token?: string
  /** Milliseconds until the answer has begun; 0 for streams that may take as long as they do. */
  timeout?: number
}

/** Ask; the answer as it is. Throws ApiFailure, and AbortError when `signal` is aborted. */
export async function request(path: string, options: Options = {}): Promise<Response> {
  const { method = "GET", body, signal, timeout = TIMEOUT_MS } = options
  const headers: Record<string, string> = { accept: options.accept ?? "application/json" }
  const shown = options.token ?? token.value
  if (shown) headers["authorization"] = `Bearer ${shown}`
  let sent: BodyInit | undefined
  if (body !== undefined) {
    const isPlain =
      typeof body === "object" && (Array.isArray(body) || Object.getPrototypeOf(body) === Object.prototype)
    sent = isPlain ? JSON.stringify(body) : (body as BodyInit)
    headers["content-type"] = options.contentType ?? "application/json"
  }
  const limit = timeout ? AbortSignal.timeout(timeout) : undefined
  const signals = [signal, limit].filter((one) => one !== undefined)
  let response: Response
  try {
    response = await fetch(path, {
      method,
      headers,
      body: sent,
      signal: signals.length ? AbortSignal.any(signals) : null,
      cache: "no-store",
      credentials: "same-origin",
    })
  } catch (error) {
    if (signal?.aborted) throw error
    if (limit?.aborted) throw new ApiFailure("", undefined, "TimeoutError")
    throw new ApiFailure(error instanceof Error ? error.message : String(error))
  }
  if (!response.ok) {
    if (response.status === 401 && options.token === undefined) doubt()
    const status = await statusOf(response)
    throw new ApiFailure(status.message ?? "", status)
  }
  return response
}

/** As `request`; the answer as JSON. */
export async function json<T>(path: string, options: Options = {}): Promise<T> {
  const response = await request(path, options)
  return (await response.json()) as T
}

async function statusOf(response: Response): Promise<Status> {
  const text = await response.text().catch(() => "")
  try {
    const body: unknown = JSON.parse(text)
    if (isStatus(body)) return body
  } catch {
    // a proxy's page, perhaps
  }
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    code: response.status,
    message: text.slice(0, 500),
  } as Status
}

function isStatus(body: unknown): body is Status {
  return typeof body === "object" && body !== null && "kind" in body && body.kind === "Status"
}

/** Read an object whole, with its managed fields. */
export function get<P extends Plural>(plural: P, name: string, namespace?: string): Promise<ObjectOf[P]> {
  return json(objectPath(plural, name, namespace))
}

/** Change some fields (RFC 7386). Name `metadata.resourceVersion` in the patch where a change in between matters. */
export function patch<P extends Plural>(
  plural: P,
  name: string,
  namespace: string | undefined,
  body: object,
  subresource?: string,
): Promise<ObjectOf[P]> {
  return json(`${objectPath(plural, name, namespace, subresource)}?fieldManager=${FIELD_MANAGER}`, {
    method: "PATCH",
    body,
    contentType: "application/merge-patch+json",
  })
}

export interface WriteOptions {
  dryRun?: boolean
  signal?: AbortSignal
}

function writeQuery(options: WriteOptions): string {
  return `?fieldManager=${FIELD_MANAGER}&fieldValidation=Strict${options.dryRun ? "&dryRun=All" : ""}`
}

/** Make an object. Throws ApiFailure: AlreadyExists, Invalid with the fields. */
export function create<P extends Plural>(
  plural: P,
  namespace: string | undefined,
  body: object,
  options: WriteOptions = {},
): Promise<ObjectOf[P]> {
  const init: Options = { method: "POST", body }
  if (options.signal) init.signal = options.signal
  return json(`${collectionPath(plural, namespace)}${writeQuery(options)}`, init)
}

/** Replace an object; Conflict when it has changed since the `resourceVersion` in the body. */
export function replace<P extends Plural>(
  plural: P,
  name: string,
  namespace: string | undefined,
  body: object,
  options: WriteOptions = {},
): Promise<ObjectOf[P]> {
  const init: Options = { method: "PUT", body }
  if (options.signal) init.signal = options.signal
  return json(`${objectPath(plural, name, namespace)}${writeQuery(options)}`, init)
}

/** Change an object by operations (RFC 6902): all of them, or none where a `test` fails. */
export function amend<P extends Plural>(
  plural: P,
  name: string,
  namespace: string | undefined,
  operations: readonly object[],
  options: WriteOptions = {},
): Promise<ObjectOf[P]> {
  const init: Options = { method: "PATCH", body: operations, contentType: "application/json-patch+json" }
  if (options.signal) init.signal = options.signal
  return json(`${objectPath(plural, name, namespace)}${writeQuery(options)}`, init)
}

/** Delete an object; `uid` makes sure that it is the one that was looked at. */
export function remove(plural: Plural, name: string, namespace?: string, uid?: string): Promise<unknown> {
  const body = { kind: "DeleteOptions", apiVersion: "v1", ...(uid ? { preconditions: { uid } } : {}) }
  return json(objectPath(plural, name, namespace), { method: "DELETE", body })
}
