/**
 * The colours of YAML as the `yaml` library writes it: block style, one key a line. It is no parser: a line that it
 * cannot tell is plain text.
 */

export type Tone = "key" | "text" | "number" | "word" | "mark" | "plain"

export interface Piece {
  text: string
  tone: Tone
}

const KEY =
  /^(?<lead>(?: |- )*)(?<key>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#][^#]*?)(?<colon>:)(?<rest>\s.*|)$/
const ITEM = /^(?<lead>(?: |- )*(?:- |-$))(?<rest>.*)$/
/** A value that goes on in deeper lines as text: `|`, `>-`, `|2+`. */
const BLOCK = /^[|>][0-9]?[+-]?$/
const NUMBER = /^[+-]?(?:\d[\d_]*)(?:\.\d+)?(?:e[+-]?\d+)?$/i
const WORD = /^(?:true|false|null|~|\{\}|\[\])$/

/** Each line as its pieces. */
export function paint(yaml: string): Piece[][] {
  const lines = yaml.replace(/\n$/, "").split("\n")
  /** Lines that are indented deeper than this belong to a text; -1: none. */
  let within = -1
  /** The quote that a text of several lines has yet to end with. */
  let open = ""
  return lines.map((line) => {
    if (open) {
      if (endsQuote(line, open)) open = ""
      return [{ text: line, tone: "text" }]
    }
    const depth = line.length - line.trimStart().length
    if (within >= 0 && (depth > within || line.trim() === "")) return [{ text: line, tone: "text" }]
    within = -1
    const pieces = paintLine(line)
    const value = pieces.at(-1)
    if (value?.tone === "mark" && BLOCK.test(value.text.trim())) within = depth
    if (value?.tone === "text" && /^["']/.test(value.text)) {
      const quote = value.text.slice(0, 1)
      if (!endsQuote(value.text.slice(1), quote)) open = quote
    }
    return pieces
  })
}

function paintLine(line: string): Piece[] {
  const found = KEY.exec(line)?.groups
  if (found) {
    const { lead = "", key = "", colon = "", rest = "" } = found
    return [...leading(lead), { text: key, tone: "key" }, { text: colon, tone: "mark" }, ...value(rest)]
  }
  const item = ITEM.exec(line)?.groups
  if (item) return [...leading(item["lead"] ?? ""), ...value(item["rest"] ?? "")]
  return line ? [{ text: line, tone: "plain" }] : []
}

const leading = (text: string): Piece[] => (text ? [{ text, tone: text.trim() ? "mark" : "plain" }] : [])

function value(rest: string): Piece[] {
  const text = rest.trimStart()
  if (!text) return rest ? [{ text: rest, tone: "plain" }] : []
  const space: Piece[] =
    rest.length > text.length ? [{ text: rest.slice(0, -text.length), tone: "plain" }] : []
  return [...space, { text, tone: toneOf(text.trimEnd()) }]
}

function toneOf(text: string): Tone {
  if (BLOCK.test(text)) return "mark"
  if (NUMBER.test(text)) return "number"
  return WORD.test(text) ? "word" : "text"
}

function endsQuote(text: string, quote: string): boolean {
  const bare = quote === '"' ? text.replace(/\\./g, "") : text.replace(/''/g, "")
  return bare.includes(quote)
}
