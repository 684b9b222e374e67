/** What differs between two texts, line by line, as unified diffs show it. Pure. */

export interface Line {
  kind: "same" | "gone" | "new"
  text: string
  /** Its number in the text before and after; undefined where it is not in it. */
  before?: number
  after?: number
}

/** Lines that are left out between two parts of a diff. */
export interface Gap {
  kind: "gap"
  count: number
}

/** All lines of both texts in one order, those that go before those that come. */
export function compareLines(before: string, after: string): Line[] {
  const one = split(before)
  const other = split(after)
  let head = 0
  while (head < one.length && head < other.length && one[head] === other[head]) head += 1
  let tail = 0
  while (
    tail < one.length - head &&
    tail < other.length - head &&
    one[one.length - 1 - tail] === other[other.length - 1 - tail]
  ) {
    tail += 1
  }
  const lines: Line[] = []
  const add = (kind: Line["kind"], text: string, from: number, to: number): void => {
    const line: Line = { kind, text }
    if (kind !== "new") line.before = from + 1
    if (kind !== "gone") line.after = to + 1
    lines.push(line)
  }
  for (let at = 0; at < head; at += 1) add("same", one[at] ?? "", at, at)
  for (const [kind, from, to] of middle(
    one.slice(head, one.length - tail),
    other.slice(head, other.length - tail),
  )) {
    const text = kind === "new" ? other[head + to] : one[head + from]
    add(kind, text ?? "", head + from, head + to)
  }
  for (let at = tail; at > 0; at -= 1) {
    add("same", one[one.length - at] ?? "", one.length - at, other.length - at)
  }
  return lines
}

const split = (text: string): string[] => (text ? text.replace(/\n$/, "").split("\n") : [])

type Step = readonly [Line["kind"], number, number]

/** The table of the search has a cell for each pair of lines: beyond so many it takes more memory than it is worth. */
const MOST_CELLS = 4_000_000

/** The way through both along their longest common subsequence; of very long parts, one after the other. */
function middle(one: readonly string[], other: readonly string[]): Step[] {
  const width = other.length + 1
  if ((one.length + 1) * width > MOST_CELLS) {
    return [
      ...one.map((_, at): Step => ["gone", at, 0]),
      ...other.map((_, at): Step => ["new", one.length, at]),
    ]
  }
  const longest = new Uint32Array((one.length + 1) * width)
  for (let i = one.length - 1; i >= 0; i -= 1) {
    for (let j = other.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] =
        one[i] === other[j]
          ? (longest[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(longest[(i + 1) * width + j] ?? 0, longest[i * width + j + 1] ?? 0)
    }
  }
  const steps: Step[] = []
  let i = 0
  let j = 0
  while (i < one.length || j < other.length) {
    if (i < one.length && j < other.length && one[i] === other[j]) {
      steps.push(["same", i, j])
      i += 1
      j += 1
    } else if (
      i < one.length &&
      (j === other.length || (longest[(i + 1) * width + j] ?? 0) >= (longest[i * width + j + 1] ?? 0))
    ) {
      steps.push(["gone", i, j])
      i += 1
    } else {
      steps.push(["new", i, j])
      j += 1
    }
  }
  return steps
}

/** Only what changed, with some lines around it; longer stretches that are the same become gaps. */
export function folded(lines: readonly Line[], around = 3): (Line | Gap)[] {
  const kept = new Array<boolean>(lines.length).fill(false)
  lines.forEach((line, at) => {
    if (line.kind === "same") return
    for (let near = Math.max(0, at - around); near <= Math.min(lines.length - 1, at + around); near += 1) {
      kept[near] = true
    }
  })
  const shown: (Line | Gap)[] = []
  let hidden = 0
  const close = (): void => {
    if (hidden) shown.push({ kind: "gap", count: hidden })
    hidden = 0
  }
  lines.forEach((line, at) => {
    if (!kept[at]) {
      hidden += 1
      return
    }
    close()
    shown.push(line)
  })
  close()
  return shown
}
