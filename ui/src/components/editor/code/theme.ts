/** CodeMirror in our colours: they are the page's own variables, so that both themes are one. */

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language"
import { EditorView } from "@codemirror/view"
import { tags } from "@lezer/highlight"

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--surface)", fontSize: "var(--small)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
  ".cm-content": { caretColor: "var(--text)", padding: "10px 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--accent) 26%, transparent)",
  },
  ".cm-gutters": { color: "var(--text-3)", backgroundColor: "var(--surface)", border: "0" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 6px 0 12px" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--text) 4%, transparent)" },
  ".cm-activeLineGutter": { color: "var(--text)", backgroundColor: "transparent" },
  ".cm-selectionMatch": { backgroundColor: "color-mix(in srgb, var(--busy-fill) 22%, transparent)" },
  ".cm-searchMatch": { backgroundColor: "color-mix(in srgb, var(--warn-fill) 32%, transparent)" },
  ".cm-searchMatch.cm-searchMatch-selected": {
    backgroundColor: "color-mix(in srgb, var(--warn-fill) 62%, transparent)",
  },
  "&.cm-focused .cm-matchingBracket": {
    backgroundColor: "var(--surface-2)",
    outline: "1px solid var(--border)",
  },
  ".cm-foldPlaceholder": {
    padding: "0 6px",
    color: "var(--text-3)",
    backgroundColor: "var(--surface-2)",
    border: "1px solid var(--border)",
  },
  ".cm-tooltip": {
    maxWidth: "min(460px, 90vw)",
    color: "var(--text)",
    backgroundColor: "var(--surface)",
    border: "1px solid var(--border-strong)",
    borderRadius: "6px",
    boxShadow: "var(--shadow-high)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "260px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px", lineHeight: "1.5" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    color: "var(--text)",
    backgroundColor: "var(--accent-soft)",
  },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--accent)", fontWeight: "650" },
  ".cm-completionDetail": { color: "var(--text-3)", fontStyle: "normal", marginLeft: "12px" },
  ".cm-completionInfo, .cm-field-doc": {
    padding: "8px 10px",
    fontFamily: "var(--font)",
    lineHeight: "1.45",
    whiteSpace: "pre-line",
  },
  ".cm-field-doc code": { color: "var(--accent)" },
  ".cm-field-doc .muted": { color: "var(--text-3)" },
  ".cm-diagnostic": { padding: "6px 10px", fontFamily: "var(--font)", whiteSpace: "pre-line" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--bad-fill)" },
  ".cm-diagnostic-warning": { borderLeft: "3px solid var(--warn-fill)" },
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--bad-fill)",
    textUnderlineOffset: "3px",
  },
  ".cm-lintRange-warning": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--warn-fill)",
    textUnderlineOffset: "3px",
  },
  ".cm-lintPoint": { display: "none" },
  ".cm-panels": { color: "var(--text)", backgroundColor: "var(--surface-2)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--border)" },
  ".cm-panel.cm-search": {
    padding: "8px 30px 8px 10px",
    fontFamily: "var(--font)",
    fontSize: "var(--small)",
  },
  ".cm-panel.cm-search [name=close]": { top: "6px", right: "8px", fontSize: "18px", color: "var(--text-2)" },
  ".cm-panel.cm-search label": { fontSize: "var(--small)" },
  ".cm-textfield": {
    color: "var(--text)",
    backgroundColor: "var(--surface)",
    border: "1px solid var(--border-strong)",
    borderRadius: "5px",
    fontSize: "var(--small)",
    padding: "3px 8px",
  },
  ".cm-button": {
    color: "var(--text)",
    backgroundColor: "var(--surface)",
    backgroundImage: "none",
    border: "1px solid var(--border-strong)",
    borderRadius: "5px",
    fontSize: "var(--small)",
    padding: "3px 10px",
  },
  ".cm-changedLine, &.cm-merge-b .cm-changedLine, .cm-insertedLine": { backgroundColor: "var(--ok-soft)" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: "var(--bad-soft)" },
  "&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText": {
    background: "color-mix(in srgb, var(--bad-fill) 16%, transparent)",
  },
  "&.cm-merge-b .cm-changedText, .cm-changedText": {
    background: "color-mix(in srgb, var(--ok-fill) 18%, transparent)",
  },
  // On a coloured ground comments need more contrast than they have on the plain one.
  ".cm-changedText *, .cm-deletedText *, .cm-changedText, .cm-deletedText": { color: "var(--text)" },
  ".cm-changeGutter": { width: "3px", paddingLeft: "0" },
  "&.cm-merge-a .cm-changedLineGutter, .cm-deletedLineGutter": { background: "var(--bad-fill)" },
  "&.cm-merge-b .cm-changedLineGutter, .cm-changedLineGutter": { background: "var(--ok-fill)" },
  ".cm-collapsedLines": {
    color: "var(--text-3)",
    background: "var(--surface-2)",
    backgroundImage: "none",
    padding: "4px 12px",
    fontFamily: "var(--font)",
  },
  // The signs it would have are in few fonts.
  ".cm-collapsedLines::before, .cm-collapsedLines::after": { content: '"···"' },
})

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--busy)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--ok)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--unknown)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--text-3)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--text-3)" },
  { tag: [tags.labelName, tags.typeName, tags.meta], color: "var(--warn)" },
])

export const theme = [look, syntaxHighlighting(colours)]
