/**
 * Follows one log: first what there is, then what comes, over breaks without a line lost or repeated. What waiting
 * does not mend ends it.
 */

import { ApiFailure } from "../api/client"
import { backoff } from "../live/backoff"
import type { Turn } from "./lanes"
import { LineCutter, type WireLine } from "./wire"

export interface LogWorld {
  /** Ask for the log. Throws ApiFailure. */
  open(query: Record<string, string>, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>
  /** Wait for a turn at the connections. */
  turn(signal: AbortSignal): Promise<Turn>
  /** Resolves after so many milliseconds, or when the signal is aborted. */
  delay(milliseconds: number, signal: AbortSignal): Promise<void>
  random(): number
}

export type FollowState =
  | { state: "opening" }
  | { state: "live" }
  /** It broke, or cannot be had now; the next try follows. */
  | { state: "waiting"; error: unknown }
  | { state: "failed"; error: unknown }
  | { state: "ended" }

export interface Sink {
  /** What there was at the beginning; `isWhole`: nothing of the run comes before it. */
  past(lines: WireLine[], isWhole: boolean): void
  lines(lines: WireLine[]): void
  state(state: FollowState): void
  /** Resolves when there is room for more. */
  room(): Promise<void>
}

export interface FollowOptions {
  tail: number
  /** Only the run before the present one, which nobody writes to. */
  previous?: boolean
}

/** A followed log says something every 10 s. */
export const SILENCE_MS = 30_000
const BEFORE_ALL = "0:0"

/** Whether trying again may help. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof ApiFailure)) return true
  return error.httpCode === 0 || error.httpCode === 429 || error.httpCode >= 500
}

export class LogFollower {
  private cursor = ""
  /** Set once what there was is known. */
  private hasPast = false
  private last: string | undefined

  constructor(
    private readonly world: LogWorld,
    private readonly sink: Sink,
    private readonly options: FollowOptions,
  ) {}

  /** Follow until the log ends, fails for good, or the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.sink.state({ state: "opening" })
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const before = this.cursor
      try {
        if (!this.hasPast) await this.inTurn(signal, (either) => this.past(either))
        if (!this.options.previous) await this.inTurn(signal, (either) => this.follow(either))
        if (!signal.aborted) this.sink.state({ state: "ended" })
        return
      } catch (error) {
        if (signal.aborted) return
        if (!isPassing(error)) return this.sink.state({ state: "failed", error })
        this.sink.state({ state: "waiting", error })
        if (this.cursor !== before) attempt = 0
        await this.world.delay(backoff(attempt, this.world.random()), signal)
      }
    }
  }

  /** Turn by turn, until it is done. */
  private async inTurn(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    for (;;) {
      const turn = await this.world.turn(signal)
      try {
        return await work(AbortSignal.any([signal, turn.signal]))
      } catch (error) {
        if (signal.aborted || !turn.signal.aborted) throw error
      } finally {
        turn.end()
      }
    }
  }

  private async past(signal: AbortSignal): Promise<void> {
    const query: Record<string, string> = { cursors: "true", tailLines: String(this.options.tail) }
    if (this.options.previous) query["previous"] = "true"
    const lines: WireLine[] = []
    let cursor = ""
    for await (const batch of this.batches(query, signal)) {
      for (const line of batch) {
        cursor = line.cursor
        if (line.text !== undefined) lines.push(line)
      }
    }
    this.hasPast = true
    this.cursor = cursor
    this.sink.past(lines, lines.length < this.options.tail)
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const query = { cursors: "true", follow: "true", cursor: this.cursor || BEFORE_ALL }
    const opened = () => this.sink.state({ state: "live" })
    for await (const batch of this.batches(query, signal, opened)) {
      const fresh = batch.filter((line) => this.isNew(line))
      this.cursor = batch.at(-1)?.cursor ?? this.cursor
      if (fresh.length) this.sink.lines(fresh)
      await this.sink.room()
    }
  }

  /** A note takes no place in the log, so that each connection may begin with the same one. */
  private isNew({ cursor, text }: WireLine): boolean {
    if (text === undefined) return false
    const before = this.last
    this.last = `${cursor} ${text}`
    return this.last !== before
  }

  private async *batches(
    query: Record<string, string>,
    signal: AbortSignal,
    opened?: () => void,
  ): AsyncGenerator<WireLine[]> {
    const connection = new AbortController()
    const either = AbortSignal.any([signal, connection.signal])
    const cutter = new LineCutter()
    try {
      const body = await this.inTime(this.world.open(query, either), either)
      opened?.()
      const reader = body.getReader()
      for (;;) {
        const { done, value } = await this.inTime(reader.read(), either)
        if (done) return
        const batch = cutter.feed(value)
        if (batch.length) yield batch
      }
    } finally {
      // Whoever stops reading frees the node's reader.
      connection.abort()
    }
  }

  /** The same, unless it takes longer than a log that is followed is ever silent. */
  private async inTime<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
    const over = new AbortController()
    const silence = this.world.delay(SILENCE_MS, AbortSignal.any([over.signal, signal])).then(() => {
      if (over.signal.aborted) return new Promise<never>(() => undefined)
      throw new Error(signal.aborted ? "aborted" : "silence")
    })
    try {
      return await Promise.race([promise, silence])
    } finally {
      over.abort()
    }
  }
}
