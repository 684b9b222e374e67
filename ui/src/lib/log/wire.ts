/**
 * A log as the server sends it to who asks for cursors: each line is `RUN:OFFSET TIME TEXT`, where the cursor is that
 * *after* the line, and a mark is a cursor alone. Pure.
 */

export interface Cursor {
  run: number
  offset: number
}

export interface WireLine {
  /** Where to go on after the line, as the server wrote it. */
  cursor: string
  run: number
  /** RFC 3339; empty for a mark. */
  time: string
  /** Undefined for a mark, which only says how far the log has been read. */
  text: string | undefined
}

export function parseWireLine(raw: string): WireLine {
  const first = raw.indexOf(" ")
  const cursor = first < 0 ? raw : raw.slice(0, first)
  const run = parseInt(cursor, 10) || 0
  if (first < 0) return { cursor, run, time: "", text: undefined }
  const second = raw.indexOf(" ", first + 1)
  if (second < 0) return { cursor, run, time: raw.slice(first + 1), text: "" }
  return { cursor, run, time: raw.slice(first + 1, second), text: raw.slice(second + 1) }
}

export function parseCursor(text: string): Cursor {
  const [run = "", offset = ""] = text.split(":")
  return { run: Number(run) || 0, offset: Number(offset) || 0 }
}

/** Negative where the first comes before the second. */
export function compareCursors(one: string, other: string): number {
  const a = parseCursor(one)
  const b = parseCursor(other)
  return a.run - b.run || a.offset - b.offset
}

/** Whether a line begins where its run does, as far as its bytes tell. */
export function beginsRun(line: WireLine): boolean {
  const { offset } = parseCursor(line.cursor)
  return new TextEncoder().encode(line.text ?? "").length + 1 >= offset
}

/** Cuts a stream of bytes into lines; what has no end yet waits for it. */
export class LineCutter {
  private readonly decoder = new TextDecoder()
  private rest = ""

  feed(chunk: Uint8Array): WireLine[] {
    const lines = (this.rest + this.decoder.decode(chunk, { stream: true })).split("\n")
    this.rest = lines.pop() ?? ""
    return lines.map(parseWireLine)
  }
}

/** What the node says in the place of what cannot be read any more. */
export type Note =
  | { kind: "lost"; bytes: number }
  | { kind: "removed"; first: number; last: number }
  | { kind: "gone"; run: number }

/** The note that a line is; undefined for what the app wrote. */
export function noteOf(text: string): Note | undefined {
  if (!text.startsWith("--- ") || !text.endsWith(" ---")) return undefined
  const inner = text.slice(4, -4)
  const lost = /^(\d+) bytes lost: rotated away before they were read$/.exec(inner)
  if (lost) return { kind: "lost", bytes: Number(lost[1]) }
  const removed = /^runs? (\d+)(?: to (\d+))? (?:was|were) removed before all of it was read$/.exec(inner)
  if (removed) return { kind: "removed", first: Number(removed[1]), last: Number(removed[2] ?? removed[1]) }
  const gone = /^the log of run (\d+) is gone: /.exec(inner)
  return gone ? { kind: "gone", run: Number(gone[1]) } : undefined
}
