/**
 * The newest lines, at most so many. Each has a number that stays the same while others come and go: lines that
 * follow have higher ones, lines that are put before them lower ones.
 */

import type { LogLine } from "./line"

export class LineBuffer {
  private lines: LogLine[] = []
  private first = 0
  private room: number

  constructor(readonly capacity: number) {
    this.room = capacity
  }

  /** The number of the first line. */
  get begin(): number {
    return this.first
  }

  /** The number after that of the last line. */
  get end(): number {
    return this.first + this.lines.length
  }

  get length(): number {
    return this.lines.length
  }

  at(id: number): LogLine | undefined {
    return this.lines[id - this.first]
  }

  /** Append lines; returns how many of the oldest went. */
  append(added: readonly LogLine[]): number {
    for (const line of added) this.lines.push(line)
    return this.trim()
  }

  /** Put older lines before all others. They have room of their own, until `forget`. */
  prepend(added: readonly LogLine[]): void {
    this.lines = [...added, ...this.lines]
    this.first -= added.length
    this.room = Math.max(this.room, this.lines.length)
  }

  /** Give up the room that older lines were given; returns how many went. */
  forget(): number {
    this.room = this.capacity
    return this.trim()
  }

  /** Put lines where they belong by their time; lines of one log stay in their order. Numbers begin anew. */
  merge(added: readonly LogLine[]): void {
    const before = this.lines
    this.first += before.length
    this.lines = mergedByTime(before, added)
    this.trim()
  }

  /** Take away the lines of a log that is not shown any more. Numbers begin anew. */
  without(source: string): void {
    this.first += this.lines.length
    this.lines = this.lines.filter((line) => line.source !== source)
  }

  clear(): void {
    this.first += this.lines.length
    this.lines = []
    this.room = this.capacity
  }

  *[Symbol.iterator](): Iterator<LogLine> {
    yield* this.lines
  }

  private trim(): number {
    const over = this.lines.length - this.room
    if (over <= 0) return 0
    this.lines.splice(0, over)
    this.first += over
    return over
  }
}

function mergedByTime(one: readonly LogLine[], other: readonly LogLine[]): LogLine[] {
  const merged: LogLine[] = []
  let a = 0
  let b = 0
  while (a < one.length || b < other.length) {
    const first = one[a]
    const second = other[b]
    // Times are of one format and zone, so that they compare as texts.
    if (first && (!second || first.time <= second.time)) {
      merged.push(first)
      a += 1
    } else if (second) {
      merged.push(second)
      b += 1
    }
  }
  return merged
}
