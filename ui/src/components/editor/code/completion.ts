/** What may be written where the cursor is, and what a field means: from the server's schema. */

import type {
  Completion,
  CompletionContext,
  CompletionResult,
  CompletionSource,
} from "@codemirror/autocomplete"
import { insertCompletionText, startCompletion } from "@codemirror/autocomplete"
import { hoverTooltip, type EditorView, type Tooltip } from "@codemirror/view"
import type { Extension } from "@codemirror/state"
import { cursorAt, type Cursor } from "@/lib/editor/cursor"
import { parse, pathAt } from "@/lib/editor/document"
import { fieldsOf, type FieldSchema, type SchemaReader } from "@/lib/editor/schema"

export interface FieldTexts {
  required: string
  byDefault: (value: string) => string
}

type Read = () => SchemaReader | undefined

export function completions(
  read: Read,
  texts: FieldTexts,
  more: (path: readonly (string | number)[]) => string[],
) {
  const source: CompletionSource = (context: CompletionContext): CompletionResult | null => {
    const cursor = cursorAt(context.state.doc.toString(), context.pos)
    const schema = read()
    if (!cursor || !schema) return null
    if (!context.explicit && cursor.kind === "key" && !cursor.prefix) return null
    const field = schema.at(cursor.path)
    const options =
      cursor.kind === "key"
        ? keyOptions(schema, cursor, field, texts)
        : valueOptions(field, more(cursor.path), texts)
    return options.length ? { from: cursor.from, options, validFor: /^[\w.-]*$/ } : null
  }
  return source
}

function keyOptions(
  schema: SchemaReader,
  cursor: Cursor,
  field: FieldSchema | undefined,
  texts: FieldTexts,
): Completion[] {
  return fieldsOf(field)
    .filter(({ name }) => !cursor.beside.includes(name))
    .map(({ name, required }, index): Completion => {
      const own = schema.at([...cursor.path, name])
      const detail = required ? texts.required : typeName(own)
      return {
        label: name,
        detail,
        type: "property",
        boost: (required ? 50 : 0) - index,
        info: () => documentation(name, own, texts),
        apply: (view, completion, from, to) => applyKey(view, completion, from, to, own, cursor.indent),
      }
    })
}

/** A key with what its value begins with, and the list of values at once where there is one. */
function applyKey(
  view: EditorView,
  completion: Completion,
  from: number,
  to: number,
  field: FieldSchema | undefined,
  indent: number,
): void {
  const deeper = " ".repeat(indent + 2)
  const after =
    field?.type === "array"
      ? `:\n${deeper}- `
      : field?.properties || field?.type === "object"
        ? `:\n${deeper}`
        : ": "
  const hasColon = view.state.sliceDoc(to, to + 1) === ":"
  view.dispatch(insertCompletionText(view.state, completion.label + (hasColon ? "" : after), from, to))
  if (field?.enum || field?.type === "boolean") startCompletion(view)
}

function valueOptions(field: FieldSchema | undefined, more: string[], texts: FieldTexts): Completion[] {
  const known = field?.enum?.map(String) ?? (field?.type === "boolean" ? ["true", "false"] : [])
  const standard = field?.default === undefined ? undefined : String(field.default)
  return [...known, ...more].map((value, index): Completion => {
    const completion: Completion = { label: value, type: "enum", boost: -index }
    if (value === standard) completion.detail = texts.byDefault("").trim()
    return completion
  })
}

function typeName(field: FieldSchema | undefined): string {
  return field?.type ?? ""
}

function documentation(name: string, field: FieldSchema | undefined, texts: FieldTexts): HTMLElement {
  const box = document.createElement("div")
  box.className = "cm-field-doc"
  const head = document.createElement("div")
  const code = document.createElement("code")
  code.textContent = name
  head.append(code, ` ${typeName(field)}`)
  box.append(head)
  if (field?.description)
    box.append(Object.assign(document.createElement("div"), { textContent: field.description }))
  const facts = factsOf(field, texts)
  if (facts)
    box.append(Object.assign(document.createElement("div"), { className: "muted", textContent: facts }))
  return box
}

function factsOf(field: FieldSchema | undefined, texts: FieldTexts): string {
  const facts: string[] = []
  if (field?.enum) facts.push(field.enum.map(String).join(" · "))
  if (field?.minimum !== undefined && field.maximum !== undefined)
    facts.push(`${field.minimum} – ${field.maximum}`)
  const isSaid = field?.description?.includes("By default") || field?.description?.includes("by default")
  if (field?.default !== undefined && field.default !== "" && !isSaid)
    facts.push(texts.byDefault(String(field.default)))
  return facts.join("\n")
}

/** What a field means, while the pointer rests on it. */
export function fieldHover(read: Read, texts: FieldTexts): Extension {
  return hoverTooltip((view, position): Tooltip | null => {
    const text = view.state.doc.toString()
    const path = pathAt(parse(text), position)
    const field = path.length ? read()?.at(path) : undefined
    const name = path.findLast((part) => typeof part === "string")
    const line = view.state.doc.lineAt(position)
    if (!field?.description || !name || !line.text.includes(name)) return null
    return { pos: position, above: true, create: () => ({ dom: documentation(name, field, texts) }) }
  })
}
