/**
 * Turns at a few connections. Browsers open six connections to an origin, for all tabs together: logs may take only
 * some of them, or nothing else would get through. Where more logs are followed than that, they take turns; each goes
 * on where it was, so that this costs a little time and no line.
 */

export interface Turn {
  /** Aborted when the turn is over: others wait, or nobody looks. */
  signal: AbortSignal
  end(): void
}

/** Places that several pages share. */
export interface Slots {
  /** Wait for one; what gives it back. Rejects when the signal is aborted. */
  take(signal: AbortSignal): Promise<() => void>
  /** Whether anybody waits for one, in whatever page. */
  isWanted(): Promise<boolean>
}

interface Held {
  over: AbortController
  timer: ReturnType<typeof setTimeout> | undefined
  isDue: boolean
}

export class Lanes {
  private readonly held = new Set<Held>()
  private readonly queue: (() => void)[] = []
  private isOpen = true

  constructor(
    private readonly width: number,
    private readonly turnMs: number,
    private readonly slots?: Slots,
  ) {}

  /** Wait for a turn. Never resolves once the signal is aborted. */
  async take(signal: AbortSignal): Promise<Turn> {
    const { slots } = this
    if (!slots) return this.lane(signal)
    for (;;) {
      const turn = await this.lane(signal)
      try {
        const release = await slots.take(AbortSignal.any([signal, turn.signal]))
        return this.shared(turn, slots, release)
      } catch {
        turn.end()
        if (signal.aborted) return new Promise(() => undefined)
      }
    }
  }

  /** A turn that ends as well when another page waits for its place and it has had its time. */
  private shared(turn: Turn, slots: Slots, release: () => void): Turn {
    const over = new AbortController()
    const due = setInterval(() => {
      void slots.isWanted().then((isWanted) => isWanted && over.abort())
    }, this.turnMs)
    return {
      signal: AbortSignal.any([turn.signal, over.signal]),
      end: () => {
        clearInterval(due)
        release()
        turn.end()
      },
    }
  }

  private lane(signal: AbortSignal): Promise<Turn> {
    return new Promise((resolve) => {
      const leave = () => {
        const at = this.queue.indexOf(enter)
        if (at >= 0) this.queue.splice(at, 1)
      }
      const enter = () => {
        // A log is followed for hours, turn by turn, with one signal.
        signal.removeEventListener("abort", leave)
        resolve(this.enter())
      }
      this.queue.push(enter)
      signal.addEventListener("abort", leave)
      this.next()
    })
  }

  /** While nobody looks all turns are over, and none begins. */
  open(isOpen: boolean): void {
    this.isOpen = isOpen
    if (isOpen) this.next()
    else for (const { over } of this.held) over.abort()
  }

  private enter(): Turn {
    const held: Held = { over: new AbortController(), timer: undefined, isDue: false }
    this.held.add(held)
    held.timer = setTimeout(() => {
      held.isDue = true
      this.next()
    }, this.turnMs)
    return {
      signal: held.over.signal,
      end: () => {
        clearTimeout(held.timer)
        if (this.held.delete(held)) this.next()
      },
    }
  }

  private next(): void {
    if (!this.isOpen) return
    while (this.queue.length && this.held.size < this.width) this.queue.shift()?.()
    // Who had a whole turn makes room for who waits.
    let wanting = this.queue.length
    for (const { over, isDue } of this.held) {
      if (over.signal.aborted) wanting -= 1
      else if (isDue && wanting > 0) {
        over.abort()
        wanting -= 1
      }
    }
  }
}
