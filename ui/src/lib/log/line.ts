/** A line as it is kept: what the app wrote, a note of the node, or the boundary between two runs. */

import { endStyle, PLAIN, plainText, spansOf, type Span, type Style } from "./sgr"
import { noteOf, type Note, type WireLine } from "./wire"

export type LineKind = "text" | "note" | "run"

export class LogLine {
  private cached: string | undefined

  constructor(
    readonly kind: LineKind,
    /** Which of the logs that are shown it is from. */
    readonly source: string,
    readonly run: number,
    readonly cursor: string,
    readonly time: string,
    private readonly raw: string,
    /** The style of the terminal where the line begins. */
    private readonly begin: Style = PLAIN,
  ) {}

  /** What is searched and copied. */
  get text(): string {
    if (this.kind !== "text") return ""
    return (this.cached ??= plainText(this.raw))
  }

  /** The node's own sentence, of a note. */
  get sentence(): string {
    return this.raw
  }

  get note(): Note | undefined {
    return this.kind === "note" ? noteOf(this.raw) : undefined
  }

  spans(): Span[] {
    return spansOf(this.raw, this.begin).spans
  }
}

/** Makes lines of one log out of what comes over the wire, with boundaries between runs. */
export class LineMaker {
  private style: Style = PLAIN
  private run = 0

  constructor(private readonly source: string) {}

  /** `before`: the run that the lines follow, where there is one. */
  make(wire: readonly WireLine[], before?: number): LogLine[] {
    const lines: LogLine[] = []
    if (before !== undefined) this.run = before
    for (const { cursor, run, time, text } of wire) {
      if (text === undefined) continue
      if (this.run && run !== this.run) {
        lines.push(new LogLine("run", this.source, run, cursor, time, ""))
        this.style = PLAIN
      }
      this.run = run
      if (noteOf(text)) {
        lines.push(new LogLine("note", this.source, run, cursor, time, text))
        continue
      }
      lines.push(new LogLine("text", this.source, run, cursor, time, text, this.style))
      this.style = endStyle(text, this.style)
    }
    return lines
  }
}
