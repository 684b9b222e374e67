/** Finding text in lines: which lines have it, kept up to date while lines come and go. Pure. */

import type { LineBuffer } from "./buffer"
import type { Span } from "./sgr"

/** What finds the text in any case; undefined for no text. */
export function finder(query: string): RegExp | undefined {
  if (!query) return undefined
  return new RegExp(query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu")
}

export class Matches {
  /** The numbers of the lines that have it, ascending. */
  ids: number[] = []
  private pattern: RegExp | undefined
  private seen = 0

  get finder(): RegExp | undefined {
    return this.pattern
  }

  /** Look for another text. */
  look(query: string, buffer: LineBuffer): void {
    this.pattern = finder(query)
    this.again(buffer)
  }

  /** The lines have changed in another way than by new ones at their end and lost ones at their beginning. */
  again(buffer: LineBuffer): void {
    this.ids = []
    this.seen = buffer.begin
    this.follow(buffer)
  }

  /** Lines have come at the end, or gone at the beginning. */
  follow(buffer: LineBuffer): void {
    const lost = this.ids.findIndex((id) => id >= buffer.begin)
    if (lost !== 0) this.ids.splice(0, lost < 0 ? this.ids.length : lost)
    const from = Math.max(this.seen, buffer.begin)
    this.seen = buffer.end
    if (!this.pattern) return
    for (let id = from; id < buffer.end; id += 1) {
      if (this.has(buffer.at(id)?.text ?? "")) this.ids.push(id)
    }
  }

  private has(text: string): boolean {
    if (!text || !this.pattern) return false
    this.pattern.lastIndex = 0
    return this.pattern.test(text)
  }

  /** The match after (or before) a line, around the end; its index in `ids`, -1 where there is none. */
  step(from: number | undefined, by: 1 | -1): number {
    const { ids } = this
    if (!ids.length) return -1
    if (from === undefined) return by > 0 ? 0 : ids.length - 1
    if (by > 0) {
      const next = ids.findIndex((id) => id > from)
      return next < 0 ? 0 : next
    }
    const before = ids.findLastIndex((id) => id < from)
    return before < 0 ? ids.length - 1 : before
  }
}

export interface MarkedSpan extends Span {
  isMatch: boolean
}

/** Spans cut where matches begin and end. */
export function marked(spans: readonly Span[], pattern: RegExp | undefined): MarkedSpan[] {
  if (!pattern) return spans.map((span) => ({ ...span, isMatch: false }))
  const text = spans.map((span) => span.text).join("")
  const edges: number[] = []
  for (const found of text.matchAll(pattern)) edges.push(found.index, found.index + found[0].length)
  const cut: MarkedSpan[] = []
  let at = 0
  let edge = 0
  for (const { text: piece, classes } of spans) {
    let from = 0
    while (from < piece.length) {
      while (edge < edges.length && (edges[edge] ?? 0) <= at + from) edge += 1
      const until = Math.min(piece.length, (edges[edge] ?? Infinity) - at)
      cut.push({ text: piece.slice(from, until), classes, isMatch: edge % 2 === 1 })
      from = until
    }
    at += piece.length
  }
  return cut
}
