/**
 * Keeps collections true over one connection: lists each wanted kind once, then follows all of them with a single
 * watch (`GET /apis/plum.dev/v1/watch?resources=…`), which one global version makes exact (DESIGN 10.20).
 *
 * Level-triggered: a stream that breaks is resumed from the last version that had been seen whole; a version that the
 * server has forgotten (410) means listing again. What is known stays shown meanwhile.
 */

import { collectionPath, pluralOf, type Plural } from "../api/kinds"
import { backoff } from "./backoff"
import {
  applyEvents,
  collectionOf,
  trimmed,
  versionOf,
  type ApiObject,
  type Collection,
  type WatchEvent,
} from "./collection"
import { jsonLines } from "./lines"
import type { Connection } from "./messages"

export interface World {
  fetch(path: string, init: { headers: Record<string, string>; signal: AbortSignal }): Promise<Response>
  /** Resolves after so many milliseconds, or at once when the signal is aborted. */
  delay(milliseconds: number, signal: AbortSignal): Promise<void>
  now(): number
  random(): number
}

export interface Listener {
  connection(connection: Connection): void
  snapshot(kind: Plural, objects: Collection, truncated: boolean): void
  events(kind: Plural, events: WatchEvent[]): void
  refused(kind: Plural, status: unknown): void
}

/** Objects a page of a list asks for, and the most that are kept of one kind. */
const PAGE = 1000
const MOST_OBJECTS = 50_000
/**
 * A quiet watch sends a bookmark every 30 s, and lists are answered sooner: silence for longer than this means that the
 * connection is dead.
 */
const SILENCE_MS = 75_000
/** Events are told at most this often, so that a busy fleet costs a few drawings a second. */
const GATHER_MS = 100

class Unauthorized extends Error {}
class Gone extends Error {}

interface Known {
  objects: Collection
  /** All of the kind up to this version is known. */
  version: number
  truncated: boolean
}

export class Watcher {
  private readonly known = new Map<Plural, Known>()
  private readonly refused = new Map<Plural, unknown>()
  private readonly pending = new Map<Plural, WatchEvent[]>()
  private wanted: readonly Plural[] = []
  private token = ""
  private connectionNow: Connection = { state: "connecting" }
  private attempt = 0
  private lastLive = 0
  private lastTold = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private turn = new AbortController()
  private running = false

  constructor(
    private readonly world: World,
    private readonly listener: Listener,
  ) {}

  get connection(): Connection {
    return this.connectionNow
  }

  /** What is known of a kind; undefined until it has been listed. Events that were not told yet follow. */
  snapshot(kind: Plural): { objects: Collection; truncated: boolean } | undefined {
    return this.known.get(kind)
  }

  refusal(kind: Plural): unknown {
    return this.refused.get(kind)
  }

  /** Follow exactly these kinds from now on. */
  want(kinds: readonly Plural[]): void {
    const sorted = [...new Set(kinds)].sort()
    if (sorted.join() === this.wanted.join()) return
    this.wanted = sorted
    for (const kind of this.known.keys()) if (!sorted.includes(kind)) this.known.delete(kind)
    this.refused.clear()
    this.restart()
  }

  /** Ask in somebody's name; what was known in another's is forgotten. */
  authenticate(token: string): void {
    if (token === this.token && this.connectionNow.state !== "signedOut") return
    this.token = token
    this.known.clear()
    this.refused.clear()
    this.restart()
  }

  /** Try again now, instead of when the waiting is over: the network is back, or the tab is looked at. */
  hurry(): void {
    if (this.connectionNow.state === "reconnecting") this.restart()
  }

  stop(): void {
    this.wanted = []
    this.turn.abort()
  }

  private restart(): void {
    this.turn.abort()
    this.attempt = 0
    if (!this.running) void this.run()
  }

  private async run(): Promise<void> {
    this.running = true
    while (this.wanted.length) {
      this.turn = new AbortController()
      const { signal } = this.turn
      try {
        await this.follow(signal)
      } catch (error) {
        if (signal.aborted) continue
        if (error instanceof Unauthorized) {
          this.tell({ state: "signedOut" })
          await this.untilAborted(signal)
          continue
        }
        if (error instanceof Gone) this.known.clear()
        this.tellBroken(error)
        await this.world.delay(backoff(this.attempt++, this.world.random()), signal)
      }
    }
    this.running = false
  }

  private async follow(signal: AbortSignal): Promise<void> {
    for (const kind of this.wanted) {
      if (!this.known.has(kind) && !this.refused.has(kind)) await this.list(kind, signal)
    }
    const kinds = this.wanted.filter((kind) => this.known.has(kind))
    if (!kinds.length) return this.untilAborted(signal)
    const since = new Map(kinds.map((kind) => [kind, this.known.get(kind)?.version ?? 0]))
    let complete = Math.min(...since.values())
    const query = `resources=${kinds.join(",")}&resourceVersion=${complete}&allowWatchBookmarks=true`
    const quiet = new AbortController()
    const body = await this.inTime(AbortSignal.any([signal, quiet.signal]), (either) =>
      this.open(`/apis/plum.dev/v1/watch?${query}`, either),
    )
    this.attempt = 0
    this.tell({ state: "live" })
    let silence = setTimeout(() => quiet.abort(), SILENCE_MS)
    let reached = complete
    try {
      for await (const line of jsonLines(body)) {
        clearTimeout(silence)
        silence = setTimeout(() => quiet.abort(), SILENCE_MS)
        const { type, object } = line as WatchLine
        if (type === "ERROR") throw object.code === 410 ? new Gone() : new Error(object.message ?? "")
        const version = versionOf(object)
        // Changes of one commit share a version, and a break may fall between them: a version is whole only when a
        // later one has begun. A bookmark comes between versions.
        if (version > reached || type === "BOOKMARK") complete = type === "BOOKMARK" ? version : reached
        reached = Math.max(reached, version)
        if (type !== "BOOKMARK") this.take({ type, object: trimmed(object) }, since)
      }
    } finally {
      clearTimeout(silence)
      this.flush()
      for (const kind of kinds) {
        const known = this.known.get(kind)
        if (known) known.version = Math.max(known.version, complete)
      }
    }
    // A server ends every watch after a while, and when it stops.
    throw new Error("the server ended the watch")
  }

  private take(event: WatchEvent, since: ReadonlyMap<Plural, number>): void {
    const kind = pluralOf(event.object.kind ?? "")
    const known = kind && this.known.get(kind)
    // A kind that was listed later than the others has already what came before its list.
    if (!kind || !known || versionOf(event.object) <= (since.get(kind) ?? 0)) return
    const pending = this.pending.get(kind)
    if (pending) pending.push(event)
    else this.pending.set(kind, [event])
    this.timer ??= setTimeout(() => this.flush(), Math.max(0, this.lastTold + GATHER_MS - this.world.now()))
  }

  private flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (!this.pending.size) return
    this.lastTold = this.world.now()
    const gathered = [...this.pending]
    this.pending.clear()
    for (const [kind, events] of gathered) {
      const known = this.known.get(kind)
      // All of them together: each application copies the collection.
      if (known) known.objects = applyEvents(known.objects, events)
      this.listener.events(kind, events)
    }
  }

  private async list(kind: Plural, signal: AbortSignal): Promise<void> {
    const objects: ApiObject[] = []
    let version = 0
    let next = ""
    do {
      const query = `limit=${PAGE}${next ? `&continue=${encodeURIComponent(next)}` : ""}`
      const page = await this.inTime(signal, (either) => this.page(kind, query, either))
      if (!page) return
      // Items of a list leave out what the list says for all of them.
      for (const item of page.items) objects.push(trimmed(item))
      version ||= Number(page.metadata.resourceVersion)
      next = page.metadata.continue ?? ""
    } while (next && objects.length < MOST_OBJECTS)
    const known = { objects: collectionOf(objects), version, truncated: Boolean(next) }
    this.known.set(kind, known)
    this.listener.snapshot(kind, known.objects, known.truncated)
  }

  /** A page of a list; undefined where the server refuses the kind. */
  private async page(kind: Plural, query: string, signal: AbortSignal): Promise<ListPage | undefined> {
    const response = await this.ask(`${collectionPath(kind)}?${query}`, signal)
    if (response.status === 403 || response.status === 404) {
      const status: unknown = await response.json().catch(() => undefined)
      this.refused.set(kind, status)
      this.listener.refused(kind, status)
      return undefined
    }
    if (response.status === 410) throw new Gone()
    if (!response.ok) throw new Error(`HTTP ${response.status}`)
    return (await response.json()) as ListPage
  }

  private async open(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.ask(path, signal)
    if (response.status === 410) throw new Gone()
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`)
    return response.body
  }

  private async ask(path: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { accept: "application/json" }
    if (this.token) headers["authorization"] = `Bearer ${this.token}`
    signal.throwIfAborted()
    const response = await this.world.fetch(path, { headers, signal })
    signal.throwIfAborted()
    if (response.status === 401) throw new Unauthorized()
    return response
  }

  /** Give up what takes longer than a living connection is ever silent. */
  private async inTime<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), SILENCE_MS)
    try {
      return await work(AbortSignal.any([signal, late.signal]))
    } finally {
      clearTimeout(timer)
    }
  }

  private untilAborted(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))
  }

  private tellBroken(error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error)
    // The first break is mended within a moment: telling of it at once would be a flicker.
    if (this.attempt === 0 && this.connectionNow.state === "live") return
    this.tell({ state: "reconnecting", since: this.lastLive || this.world.now(), detail })
  }

  private tell(connection: Connection): void {
    if (connection.state === "live") this.lastLive = this.world.now()
    const { connectionNow: before } = this
    if (before.state === connection.state) return
    if (before.state === "live" && connection.state === "reconnecting") connection.since = this.world.now()
    this.connectionNow = connection
    this.listener.connection(connection)
  }
}

interface WatchLine {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR"
  object: ApiObject & { code?: number; message?: string }
}

interface ListPage {
  metadata: { resourceVersion: string; continue?: string }
  items: ApiObject[]
}
