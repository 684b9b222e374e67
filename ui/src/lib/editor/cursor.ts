/**
 * Where the cursor is in a text that is being written, and so cannot always be parsed: by indentation, line by line.
 */

export interface Cursor {
  /** The path of the mapping in which a key, or of the field at which a value, is being written. */
  path: (string | number)[]
  kind: "key" | "value"
  /** What has been written of it. */
  prefix: string
  /** Where that begins. */
  from: number
  /** How far in it stands: keys below it stand further in. */
  indent: number
  /** Keys that stand beside it already. */
  beside: string[]
}

interface Line {
  indent: number
  /** Positions of the list marks before the content. */
  dashes: number[]
  key: string | undefined
  isBlank: boolean
}

const KEY = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s#:"'{}[\],][^:#]*?))\s*:(?=\s|$)/

function readLine(text: string): Line {
  let at = text.length - text.trimStart().length
  const dashes: number[] = []
  while (/^-(\s|$)/.test(text.slice(at))) {
    dashes.push(at)
    const rest = text.slice(at + 1)
    at += 1 + (rest.length - rest.trimStart().length)
  }
  const content = text.slice(at)
  const found = KEY.exec(content)
  return {
    indent: at,
    dashes,
    key: found ? (found[1] ?? found[2] ?? found[3]) : undefined,
    isBlank: content === "" ? dashes.length === 0 : content.startsWith("#"),
  }
}

/** Where the cursor at an offset is; undefined inside a comment or a mapping in braces. */
export function cursorAt(text: string, offset: number): Cursor | undefined {
  const start = text.lastIndexOf("\n", offset - 1) + 1
  const written = text.slice(start, offset)
  if (/(^|\s)#/.test(written)) return undefined
  const lines = text.split("\n")
  const number = text.slice(0, start).split("\n").length - 1
  const current = readLine(written)
  const content = written.slice(current.indent)
  const value = KEY.exec(content)
  const rest = value ? content.slice(value[0].length) : content
  if (/[{}[\]|>&*"']/.test(rest)) return undefined
  const steps = enclosing(lines, number, current)
  if (value) {
    const prefix = rest.trimStart()
    const path = [...steps, current.key ?? ""]
    return { path, kind: "value", prefix, from: offset - prefix.length, indent: current.indent, beside: [] }
  }
  return {
    path: steps,
    kind: "key",
    prefix: content,
    from: offset - content.length,
    indent: current.indent,
    beside: besides(lines, number, current.indent, current.dashes.length > 0),
  }
}

/** The path of what a line stands in, its own list marks included. */
function enclosing(lines: readonly string[], number: number, current: Line): (string | number)[] {
  const path: (string | number)[] = []
  let column = current.indent
  let isItem = false
  for (let index = number; index >= 0; index -= 1) {
    const line = index === number ? current : readLine(lines[index] ?? "")
    if (line.isBlank && index !== number) continue
    // A list may stand at the depth of its own key.
    const isParent = line.indent < column || (isItem && line.indent === column && !line.dashes.length)
    if (index !== number && isParent && line.key !== undefined) {
      path.unshift(line.key)
      column = line.indent
      isItem = false
    }
    for (const dash of line.dashes.toReversed()) {
      if (dash >= column) continue
      path.unshift(indexOf(lines, index, dash))
      column = dash
      isItem = true
    }
  }
  return path
}

/** The number of the item whose mark is at a column of a line. */
function indexOf(lines: readonly string[], number: number, column: number): number {
  let count = 0
  for (let index = number - 1; index >= 0; index -= 1) {
    const line = readLine(lines[index] ?? "")
    if (line.isBlank) continue
    const first = line.dashes[0] ?? line.indent
    if (line.dashes.includes(column)) count += 1
    if (first < column || (first === column && !line.dashes.length)) break
  }
  return count
}

/** The keys of the mapping that a line belongs to. */
function besides(lines: readonly string[], number: number, indent: number, isFirst: boolean): string[] {
  const keys: string[] = []
  const look = (index: number, isDown: boolean): boolean => {
    const line = readLine(lines[index] ?? "")
    if (line.isBlank || line.indent > indent) return true
    if (line.indent < indent) return false
    if (line.dashes.length && isDown) return false
    if (line.key !== undefined) keys.push(line.key)
    return !line.dashes.length
  }
  if (!isFirst) for (let index = number - 1; index >= 0 && look(index, false); index -= 1);
  for (let index = number + 1; index < lines.length && look(index, true); index += 1);
  return keys
}
