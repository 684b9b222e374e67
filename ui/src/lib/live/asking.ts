/** What the watcher asks the server for: whole lists, and the watch over several kinds. */

import { collectionPath, objectPath, type Plural } from "../api/kinds"
import { collectionOf, trimmed, type ApiObject, type Collection } from "./collection"
import { Skew } from "./skew"
import { sentenceOf, type ListPage } from "./wire"
import type { World } from "./world"

/** The server wants to know who asks. */
export class Unauthorized extends Error {}
/** The server has forgotten the version that was asked for: only a new list helps. */
export class Gone extends Error {}
/** The kind is not for who asks, or the server does not have it. */
export class Refused extends Error {
  constructor(readonly status: unknown) {
    super("refused")
  }
}

export interface Listed {
  objects: Collection
  /** All of the kind up to this version is known. */
  version: number
  /** Whether there are more than are kept. */
  truncated: boolean
}

/** Objects a page of a list asks for, and the most that are kept of one kind. */
const PAGE = 1000
const MOST_OBJECTS = 50_000
/**
 * A quiet watch sends a bookmark every 30 s, and lists are answered sooner: silence for longer than this means that the
 * connection is dead.
 */
export const SILENCE_MS = 75_000

export class Asking {
  token = ""
  /** The server's clock against ours. */
  readonly skew = new Skew()

  /** `clock` hears of it when the server's clock is found to be ahead by another time. */
  constructor(
    private readonly world: World,
    private readonly clock: (ahead: number) => void,
  ) {}

  /** All of a kind. Throws Refused. */
  async list(kind: Plural, signal: AbortSignal): Promise<Listed> {
    const objects: ApiObject[] = []
    let version = 0
    let next = ""
    do {
      const query = `limit=${PAGE}${next ? `&continue=${encodeURIComponent(next)}` : ""}`
      const page = await inTime(signal, (either) =>
        this.json<ListPage>(`${collectionPath(kind)}?${query}`, either),
      )
      // Items of a list leave out what the list says for all of them.
      for (const item of page.items) objects.push(trimmed(item))
      version ||= Number(page.metadata.resourceVersion)
      next = page.metadata.continue ?? ""
    } while (next && objects.length < MOST_OBJECTS)
    return { objects: collectionOf(objects), version, truncated: Boolean(next) }
  }

  /** The stream of what changes in several kinds after a version. */
  async watch(
    kinds: readonly Plural[],
    version: number,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const query = `resources=${kinds.join(",")}&resourceVersion=${version}&allowWatchBookmarks=true`
    const { body } = await inTime(signal, (either) => this.ask(`/apis/plum.dev/v1/watch?${query}`, either))
    if (!body) throw new Error("an answer without a body")
    return body
  }

  /** One object; undefined where it is not to be had. */
  async object(kind: Plural, name: string, signal: AbortSignal): Promise<ApiObject | undefined> {
    try {
      return await inTime(signal, (either) => this.json<ApiObject>(objectPath(kind, name), either))
    } catch (error) {
      if (error instanceof Refused) return undefined
      throw error
    }
  }

  private async json<T>(path: string, signal: AbortSignal): Promise<T> {
    const response = await this.ask(path, signal)
    return (await response.json()) as T
  }

  private async ask(path: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { accept: "application/json" }
    if (this.token) headers["authorization"] = `Bearer ${this.token}`
    signal.throwIfAborted()
    const response = await this.world.fetch(path, { headers, signal })
    signal.throwIfAborted()
    if (this.skew.read(response.headers.get("date"), this.world.now())) this.clock(this.skew.ahead)
    if (response.ok) return response
    switch (response.status) {
      case 401:
        throw new Unauthorized(await sentenceOf(response))
      case 403:
      case 404:
        throw new Refused(await response.json().catch(() => undefined))
      case 410:
        throw new Gone()
      default:
        throw new Error(`HTTP ${response.status}`)
    }
  }
}

/** Give up what takes longer than a living connection is ever silent. */
async function inTime<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), SILENCE_MS)
  try {
    return await work(AbortSignal.any([signal, late.signal]))
  } finally {
    clearTimeout(timer)
  }
}
