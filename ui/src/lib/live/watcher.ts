/**
 * Keeps collections true over one connection: lists each wanted kind once, then follows all of them with a single
 * watch (`GET /apis/plum.dev/v1/watch?resources=…`), which one global version makes exact (DESIGN 10.20).
 *
 * Level-triggered: a stream that breaks is resumed from the last version that had been seen whole; a version that the
 * server has forgotten (410) means listing again. What is known stays shown meanwhile.
 */

import { DEFAULT_NAMESPACE } from "../addresses"
import { pluralOf, type Plural } from "../api/kinds"
import { Asking, Gone, Refused, SILENCE_MS, Unauthorized, type Listed } from "./asking"
import { backoff } from "./backoff"
import { applyEvents, trimmed, versionOf, type Collection, type WatchEvent } from "./collection"
import { jsonLines } from "./lines"
import type { Connection } from "./messages"
import { isForgotten, type WatchLine } from "./wire"
import type { World } from "./world"

export interface Listener {
  connection(connection: Connection): void
  snapshot(kind: Plural, objects: Collection, truncated: boolean): void
  events(kind: Plural, events: WatchEvent[]): void
  refused(kind: Plural, status: unknown): void
  /** The server's clock is so many milliseconds ahead of ours. */
  clock(ahead: number): void
}

/** Events are told at most this often, so that a busy fleet costs a few drawings a second. */
const GATHER_MS = 100

/** Of one doubt after the other at most one is looked into in this time. */
const RECHECK_MS = 5_000

export class Watcher {
  private readonly known = new Map<Plural, Listed>()
  private readonly refused = new Map<Plural, unknown>()
  private readonly pending = new Map<Plural, WatchEvent[]>()
  private wanted: readonly Plural[] = []
  private readonly asking: Asking
  private connectionNow: Connection = { state: "connecting" }
  private attempt = 0
  private lastLive = 0
  private lastTold = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private turn = new AbortController()
  private running = false
  /** A connection broke since the server was last seen to be the one that it was. */
  private wasBroken = false
  private rechecked = -Infinity

  constructor(
    private readonly world: World,
    private readonly listener: Listener,
  ) {
    this.asking = new Asking(world, (ahead) => listener.clock(ahead))
  }

  get connection(): Connection {
    return this.connectionNow
  }

  get ahead(): number {
    return this.asking.skew.ahead
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
    if (token === this.asking.token && this.connectionNow.state !== "signedOut") return
    this.asking.token = token
    this.known.clear()
    this.refused.clear()
    this.restart()
  }

  /** Try again now, instead of when the waiting is over: the network is back, or the tab is looked at. */
  hurry(): void {
    if (this.connectionNow.state === "reconnecting") this.restart()
  }

  /** Connect anew: somebody has reason to doubt that the connection still counts. What is known stays. */
  recheck(): void {
    if (this.connectionNow.state !== "live" || this.world.now() - this.rechecked < RECHECK_MS) return
    this.rechecked = this.world.now()
    this.restart()
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
          this.tell({ state: "signedOut", detail: error.message })
          await this.untilAborted(signal)
          continue
        }
        if (error instanceof Gone) this.known.clear()
        this.wasBroken = true
        this.tellBroken(error)
        await this.world.delay(backoff(this.attempt++, this.world.random()), signal)
      }
    }
    this.running = false
  }

  private async follow(signal: AbortSignal): Promise<void> {
    if (this.wasBroken) await this.lookWhoAnswers(signal)
    this.wasBroken = false
    for (const kind of this.wanted) {
      if (!this.known.has(kind) && !this.refused.has(kind)) await this.list(kind, signal)
    }
    const kinds = this.wanted.filter((kind) => this.known.has(kind))
    if (!kinds.length) return this.untilAborted(signal)
    const since = new Map(kinds.map((kind) => [kind, this.known.get(kind)?.version ?? 0]))
    let complete = Math.min(...since.values())
    const quiet = new AbortController()
    const body = await this.asking.watch(kinds, complete, AbortSignal.any([signal, quiet.signal]))
    this.attempt = 0
    this.tell({ state: "live" })
    let silence = setTimeout(() => quiet.abort(), SILENCE_MS)
    let reached = complete
    try {
      for await (const line of jsonLines(body)) {
        clearTimeout(silence)
        silence = setTimeout(() => quiet.abort(), SILENCE_MS)
        const { type, object } = line as WatchLine
        if (type === "ERROR") throw isForgotten(object) ? new Gone() : new Error(object.message ?? "")
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

  /**
   * Versions are those of one database. Another one may serve at the same address after a break: its namespace `default`
   * is another object, and what was known means nothing any more.
   */
  private async lookWhoAnswers(signal: AbortSignal): Promise<void> {
    const known = this.known.get("namespaces")?.objects.get(DEFAULT_NAMESPACE)
    if (!known) return
    const found = await this.asking.object("namespaces", DEFAULT_NAMESPACE, signal)
    if (found && found.metadata.uid !== known.metadata.uid) this.known.clear()
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
    try {
      const listed = await this.asking.list(kind, signal)
      this.known.set(kind, listed)
      this.listener.snapshot(kind, listed.objects, listed.truncated)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.refused.set(kind, error.status)
      this.listener.refused(kind, error.status)
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
