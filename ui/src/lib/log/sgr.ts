/**
 * Colours of terminals (SGR sequences, ECMA-48) as spans with classes, so that nothing of a log is ever HTML. Other
 * sequences and control characters are left out. Pure.
 */

export interface Style {
  /** 0 to 15 of the palette. */
  fg?: number
  bg?: number
  bold?: boolean
  dim?: boolean
  italic?: boolean
  underline?: boolean
  inverse?: boolean
  strike?: boolean
}

export interface Span {
  text: string
  classes: string
}

export const PLAIN: Style = Object.freeze({})

const ESC = String.fromCharCode(27)
const BEL = String.fromCharCode(7)
const DEL = String.fromCharCode(127)
const C0 = `${String.fromCharCode(0)}-${String.fromCharCode(8)}${String.fromCharCode(11)}-${String.fromCharCode(31)}`
/** CSI, OSC (ended by BEL or ST), other escapes, and control characters but the tabulator. */
const CONTROL = new RegExp(
  `${ESC}\\[([0-?]*)[ -/]*([@-~])|${ESC}\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)|${ESC}[ -/]*[0-~]?|[${C0}${DEL}]`,
  "g",
)
const HAS_CONTROL = new RegExp(`[${C0}${DEL}]`)

/** What a line shows in the end: of progress that overwrites itself with carriage returns, the last. */
function overwritten(raw: string): string {
  const end = raw.endsWith("\r") ? raw.length - 1 : raw.length
  const from = end ? raw.lastIndexOf("\r", end - 1) + 1 : 0
  return from || end < raw.length ? raw.slice(from, end) : raw
}

/** The text of a line without what steers terminals. */
export function plainText(raw: string): string {
  return HAS_CONTROL.test(raw) ? overwritten(raw).replace(CONTROL, "") : raw
}

/** A line in spans, and the style that the next line begins with. */
export function spansOf(raw: string, begin: Style = PLAIN): { spans: Span[]; end: Style } {
  if (!raw.includes(ESC)) {
    const text = plainText(raw)
    return { spans: text ? [{ text, classes: classesOf(begin) }] : [], end: begin }
  }
  const spans: Span[] = []
  const shown = overwritten(raw)
  let style = raw === shown ? begin : endStyle(raw.slice(0, raw.lastIndexOf(shown)), begin)
  let at = 0
  let text = ""
  const push = () => {
    if (text) spans.push({ text, classes: classesOf(style) })
    text = ""
  }
  for (const found of shown.matchAll(CONTROL)) {
    text += shown.slice(at, found.index)
    at = found.index + found[0].length
    if (found[2] !== "m") continue
    push()
    style = applied(style, found[1] ?? "")
  }
  text += shown.slice(at)
  push()
  return { spans, end: style }
}

/** The style after a line, without its spans. */
export function endStyle(raw: string, begin: Style): Style {
  if (!raw.includes(ESC)) return begin
  let style = begin
  for (const found of raw.matchAll(CONTROL)) {
    if (found[2] === "m") style = applied(style, found[1] ?? "")
  }
  return style
}

function classesOf(style: Style): string {
  const classes: string[] = []
  if (style.fg !== undefined) classes.push(`fg${style.fg}`)
  if (style.bg !== undefined) classes.push(`bg${style.bg}`)
  for (const name of ["bold", "dim", "italic", "underline", "inverse", "strike"] as const) {
    if (style[name]) classes.push(name)
  }
  return classes.join(" ")
}

function applied(before: Style, parameters: string): Style {
  // `38:5:1` is the same as `38;5;1`; an empty colour space in `38:2::R:G:B` is left out.
  const codes = parameters
    .replace(/(38|48):2::/g, "$1:2:")
    .split(/[;:]/)
    .map((text) => Number(text) || 0)
  let style: Style = { ...before }
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0
    if (code === 0) style = {}
    else if (code === 38 || code === 48) {
      const [colour, taken] = extended(codes, at + 1)
      at += taken
      if (colour !== undefined) style[code === 38 ? "fg" : "bg"] = colour
    } else simple(style, code)
  }
  return style
}

function simple(style: Style, code: number): void {
  if (code === 1) style.bold = true
  else if (code === 2) style.dim = true
  else if (code === 3) style.italic = true
  else if (code === 4 || code === 21) style.underline = true
  else if (code === 7) style.inverse = true
  else if (code === 9) style.strike = true
  else if (code === 22) {
    delete style.bold
    delete style.dim
  } else if (code === 23) delete style.italic
  else if (code === 24) delete style.underline
  else if (code === 27) delete style.inverse
  else if (code === 29) delete style.strike
  else if (code >= 30 && code <= 37) style.fg = code - 30
  else if (code === 39) delete style.fg
  else if (code >= 40 && code <= 47) style.bg = code - 40
  else if (code === 49) delete style.bg
  else if (code >= 90 && code <= 97) style.fg = code - 90 + 8
  else if (code >= 100 && code <= 107) style.bg = code - 100 + 8
}

/** A colour of 256, or one in RGB, as the nearest of the palette; and how many numbers said it. */
function extended(codes: readonly number[], at: number): [number | undefined, number] {
  if (codes[at] === 5) return [of256(codes[at + 1] ?? 0), 2]
  if (codes[at] === 2) return [nearest(codes[at + 1] ?? 0, codes[at + 2] ?? 0, codes[at + 3] ?? 0), 4]
  return [undefined, 0]
}

function of256(index: number): number {
  if (index < 16) return index
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10
    return nearest(grey, grey, grey)
  }
  const cube = index - 16
  const part = (digit: number) => (digit ? 55 + digit * 40 : 0)
  return nearest(part(Math.floor(cube / 36)), part(Math.floor(cube / 6) % 6), part(cube % 6))
}

/**
 * The palette's colour of the same hue. Only the palette is known to be readable in both themes, so a colour that an
 * app mixed keeps its hue and gives up its shade.
 */
function nearest(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue)
  const least = Math.min(red, green, blue)
  if (most - least < most * 0.25 + 8) return most < 64 ? 0 : most < 144 ? 8 : most < 224 ? 7 : 15
  const half = (most + least) / 2
  const hue = (red > half ? 1 : 0) | (green > half ? 2 : 0) | (blue > half ? 4 : 0)
  return most > 215 && least > 80 ? hue + 8 : hue
}
