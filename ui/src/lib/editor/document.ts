/**
 * The text of a manifest, which is the truth of the editor: reading it, finding a field in it, and changing a field while
 * everything else, comments too, stays as it was written.
 */

import { Document, isMap, isPair, isScalar, isSeq, parseDocument, stringify, type Node } from "yaml"
import type { Path } from "./paths"
import { at, isMapping } from "./values"

export interface Range {
  from: number
  to: number
}

export interface SyntaxProblem extends Range {
  /** The parser's word for it: BAD_INDENT, DUPLICATE_KEY, … */
  code: string
  message: string
}

export interface Parsed {
  /** What is written; undefined while it cannot be read. */
  value: unknown
  problems: SyntaxProblem[]
  document: Document.Parsed
}

export function parse(text: string): Parsed {
  const document = parseDocument(text, { prettyErrors: false })
  const problems = document.errors.map(({ code, message, pos }) => ({
    code: String(code),
    message,
    from: Math.min(pos[0], text.length),
    to: Math.min(Math.max(pos[1], pos[0]), text.length),
  }))
  if (problems.length) return { value: undefined, problems, document }
  try {
    return { value: document.toJS({ maxAliasCount: 100 }), problems, document }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { value: undefined, problems: [{ code: "ALIAS", message, from: 0, to: text.length }], document }
  }
}

/** A value as text, the way texts of the editor are written. */
export function write(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
}

/**
 * Where the field is written: its value; its key while it has none, or with `isKey`; else what it would be in.
 */
export function locate(parsed: Parsed, path: Path, isKey = false): Range {
  let node: unknown = parsed.document.contents
  let found: Range = { from: 0, to: 0 }
  for (const [depth, part] of path.entries()) {
    let next: unknown
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part))
      if (!pair) return found
      found = rangeOf(pair.key) ?? found
      if (isKey && depth === path.length - 1) return found
      next = pair.value
    } else if (isSeq(node) && typeof part === "number") {
      next = node.items[part]
      if (next === undefined) return found
    } else return found
    const isBlock = (isMap(next) || isSeq(next)) && !next.flow
    const range = rangeOf(next)
    // Of a block its key, or its first line, is enough: a whole block underlined says nothing.
    if (range && !isBlock && range.to > range.from) found = range
    else if (range && isBlock && typeof part === "number") found = firstOf(next) ?? found
    node = next
  }
  return found
}

function firstOf(node: unknown): Range | undefined {
  return isMap(node) ? rangeOf(node.items[0]?.key) : undefined
}

function rangeOf(node: unknown): Range | undefined {
  const range = (node as Node | null | undefined)?.range
  return range ? { from: range[0], to: range[1] } : undefined
}

/** The path of the field that is written at an offset. */
export function pathAt(parsed: Parsed, offset: number): Path {
  const path: (string | number)[] = []
  let node: unknown = parsed.document.contents
  for (;;) {
    if (isMap(node)) {
      const pair = node.items.find((item) => covers(item, offset))
      if (!pair || !isScalar(pair.key)) return path
      path.push(String(pair.key.value))
      const key = rangeOf(pair.key)
      if (key && offset <= key.to) return path
      node = pair.value
    } else if (isSeq(node)) {
      const index = node.items.findIndex((item) => covers(item, offset))
      if (index < 0) return path
      path.push(index)
      node = node.items[index]
    } else return path
  }
}

function covers(item: unknown, offset: number): boolean {
  if (!isPair(item)) {
    const range = rangeOf(item)
    return range !== undefined && range.from <= offset && offset <= range.to
  }
  const key = rangeOf(item.key)
  const value = rangeOf(item.value)
  return key !== undefined && key.from <= offset && offset <= Math.max(value?.to ?? 0, key.to)
}

/** Change the text by changing the document. Text that cannot be read stays. */
function edited(text: string, change: (document: Document) => void): string {
  const { document, problems, value } = parse(text)
  if (problems.length) return text
  try {
    change(document)
    return print(document, text)
  } catch {
    // A path through an alias cannot be written to: then the values are kept, and the comments go.
    const plain = new Document(value, { aliasDuplicateObjects: false })
    change(plain)
    return print(plain, text)
  }
}

function print(document: Document, text: string): string {
  // Lists at the depth of their key are as common as those further in: each stays as it is.
  const isFlat = /^([ ]*)[\w.-]+:[ \t]*\n(?:[ ]*#.*\n|[ \t]*\n)*\1- /m.test(text)
  return document.toString({ lineWidth: 0, indentSeq: !isFlat, flowCollectionPadding: /\{ \S/.test(text) })
}

/** The text with a field set, or without it where the value is undefined; what is empty then goes too. */
export function withValue(text: string, path: Path, value: unknown): string {
  return edited(text, (document) => {
    if (value === undefined) removeIn(document, path)
    else {
      clearWay(document, path)
      const old: unknown = document.getIn(path, true)
      // The quotes of an empty text were there for want of anything else.
      if (isScalar(old) && old.value === "") delete old.type
      document.setIn(path, isPlain(value) ? value : document.createNode(value))
    }
  })
}

/** What stands where a mapping or a list is needed, such as a key without a value yet, gives way to it. */
function clearWay(document: Document, path: Path): void {
  for (let length = 1; length < path.length; length += 1) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (node === undefined) return
    if (isScalar(node)) {
      document.deleteIn(path.slice(0, length))
      return
    }
  }
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null
}

function removeIn(document: Document, path: Path): void {
  if (!document.hasIn(path)) return
  document.deleteIn(path)
  for (let length = path.length - 1; length > 1; length -= 1) {
    const parent = path.slice(0, length)
    const node: unknown = document.getIn(parent)
    if (!(isMap(node) || isSeq(node)) || node.items.length || typeof parent.at(-1) === "number") return
    document.deleteIn(parent)
  }
}

/** The text with a mapping that has just these keys; what stays keeps its comments. */
export function withMapping(text: string, path: Path, wanted: Readonly<Record<string, unknown>>): string {
  const present = at(parse(text).value, path)
  return edited(text, (document) => {
    if (!Object.keys(wanted).length) return removeIn(document, path)
    if (!isMapping(present)) return document.setIn(path, document.createNode(wanted))
    for (const key of Object.keys(present)) if (!Object.hasOwn(wanted, key)) document.deleteIn([...path, key])
    for (const [key, value] of Object.entries(wanted))
      if (present[key] !== value) document.setIn([...path, key], value)
  })
}

/** The text with an item more in a list, which is made when there is none. */
export function withItem(text: string, path: Path, value: unknown, index?: number): string {
  return edited(text, (document) => {
    const list: unknown = document.getIn(path)
    const item: unknown = document.createNode(value)
    if (isSeq(list)) {
      if (!list.items.length) list.flow = false
      list.items.splice(index ?? list.items.length, 0, item)
    } else document.setIn(path, document.createNode([value]))
  })
}

/** The text with an item of a list at another place, with its comments. */
export function withMoved(text: string, path: Path, from: number, to: number): string {
  return edited(text, (document) => {
    const list: unknown = document.getIn(path)
    if (!isSeq(list)) return
    const [item] = list.items.splice(from, 1)
    if (item !== undefined) list.items.splice(to, 0, item)
  })
}
