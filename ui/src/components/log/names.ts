/** How the lines of several logs are told apart: a short name and a colour each. Pure. */

import type { LogSource } from "@/lib/log/source"

/** Hues of the terminal's palette that are far apart. */
const COLOURS = [4, 2, 5, 3, 6, 1, 12, 10, 13, 11, 14, 9] as const

export interface Prefix {
  label: string
  colour: number
}

/** By name. `stem` is left out where all begin with it. */
export function prefixes(sources: readonly LogSource[], stem?: string): Map<string, Prefix> {
  const begin = stem ? `${stem}-` : ""
  const rest = (name: string) => (begin && name.startsWith(begin) ? name.slice(begin.length) : name)
  const most = Math.max(0, ...sources.map(({ name }) => rest(name).length))
  return new Map(
    sources.map(({ name }, index) => [
      name,
      { label: rest(name).padEnd(most), colour: COLOURS[index % COLOURS.length] ?? 4 },
    ]),
  )
}
