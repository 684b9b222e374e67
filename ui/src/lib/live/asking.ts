/** What the watcher asks the server for: whole lists, and the watch over several kinds. */

import { DEFAULT_NAMESPACE } from "../addresses"
import { collectionPath, objectPath, type Plural } from "../api/kinds"
import { collectionOf, trimmed, type ApiObject, type Collection } from "./collection"
import { sentenceOf, type ListPage } from "./wire"
import type { World } from "./world"

/** The server wants to know who asks; its sentence says why what it was told does not count. */
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

  /** `hear` gets the date of each answer. */
  constructor(
    private readonly world: World,
    private readonly hear: (date: string | null) => void,
  ) {}

  /** All of a kind. Throws Refused. */
  async list(kind: Plural, signal: AbortSignal): Promise<Listed> {
    const objects: ApiObject[] = []
    let version = 0
    let next = ""
    do {
      const query = `limit=${PAGE}${next ? `&continue=${encodeURIComponent(next)}` : ""}`
      const page = await inTime(signal, (either) => this.page(`${collectionPath(kind)}?${query}`, either))
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

  /** Which object the namespace `default` is: another one in another database. Undefined where nobody may know. */
  async database(signal: AbortSignal): Promise<string | undefined> {
    try {
      const response = await inTime(signal, (either) =>
        this.ask(objectPath("namespaces", DEFAULT_NAMESPACE), either),
      )
      return ((await response.json()) as ApiObject).metadata.uid
    } catch (error) {
      if (error instanceof Refused) return undefined
      throw error
    }
  }

  private async page(path: string, signal: AbortSignal): Promise<ListPage> {
    const response = await this.ask(path, signal)
    return (await response.json()) as ListPage
  }

  private async ask(path: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { accept: "application/json" }
    if (this.token) headers["authorization"] = `Bearer ${this.token}`
    signal.throwIfAborted()
    const response = await this.world.fetch(path, { headers, signal })
    signal.throwIfAborted()
    this.hear(response.headers.get("date"))
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
