/** Lines that come before those that are shown. */

import { ApiFailure } from "../api/client"
import { compareCursors, LineCutter, parseCursor, type WireLine } from "./wire"

export interface Earlier {
  lines: WireLine[]
  /** Whether nothing is kept that comes before them. */
  isFirst: boolean
}

export interface Shown {
  /** The cursor of the first line that is shown. */
  cursor: string
  /** Whether that line is the first of its run, as far as anything is kept. */
  beginsRun: boolean
  /** The run that is the newest. */
  newestRun: number
  /** How many lines of the newest run have come since the first that is shown, that one included. */
  since: number
}

type Open = (query: Record<string, string>, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>

/** At most `count` lines that come right before. Throws ApiFailure. */
export async function readEarlier(
  open: Open,
  shown: Shown,
  count: number,
  signal: AbortSignal,
): Promise<Earlier> {
  if (!shown.beginsRun) {
    const { run } = parseCursor(shown.cursor)
    if (run === shown.newestRun) {
      // From the end, so that a long log is not read whole; what came meanwhile may have eaten up the number.
      const tail = { tailLines: String(shown.since + count) }
      const lines = await linesUntil(open, tail, (line) => comesBefore(line, shown.cursor), count, signal)
      if (lines.length) return { lines, isFirst: false }
    }
    const whole = { cursor: `${run}:0` }
    const lines = await linesUntil(open, whole, (line) => comesBefore(line, shown.cursor), count, signal)
    if (lines.length) return { lines, isFirst: false }
  }
  return runBefore(open, shown, count, signal)
}

async function runBefore(open: Open, shown: Shown, count: number, signal: AbortSignal): Promise<Earlier> {
  const run = parseCursor(shown.cursor).run - 1
  if (run < 1) return { lines: [], isFirst: true }
  const isOfRun = (line: WireLine) => line.run <= run
  const query: Record<string, string> =
    run === shown.newestRun - 1 ? { previous: "true", tailLines: String(count) } : { cursor: `${run}:0` }
  try {
    const lines = await linesUntil(open, query, isOfRun, count, signal)
    return { lines, isFirst: lines.length === 0 }
  } catch (error) {
    if (error instanceof ApiFailure && error.httpCode === 400) return { lines: [], isFirst: true }
    throw error
  }
}

const comesBefore = (line: WireLine, cursor: string) => compareCursors(line.cursor, cursor) < 0

/** The last `count` lines before the first that does not count. */
async function linesUntil(
  open: Open,
  query: Record<string, string>,
  counts: (line: WireLine) => boolean,
  count: number,
  signal: AbortSignal,
): Promise<WireLine[]> {
  const reader = (await open({ cursors: "true", ...query }, signal)).getReader()
  const cutter = new LineCutter()
  let lines: WireLine[] = []
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      const batch = cutter.feed(value).filter((line) => line.text !== undefined)
      const end = batch.findIndex((line) => !counts(line))
      lines.push(...(end < 0 ? batch : batch.slice(0, end)))
      if (lines.length > 2 * count) lines = lines.slice(-count)
      if (end >= 0) break
    }
  } finally {
    reader.cancel().catch(() => undefined)
  }
  return lines.slice(-count)
}
