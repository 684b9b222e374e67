/** CodeMirror's own words, in the reader's language. */

const KEYS = {
  Find: "find",
  Replace: "replace",
  next: "next",
  previous: "previous",
  all: "all",
  "match case": "matchCase",
  "by word": "byWord",
  regexp: "regexp",
  replace: "replaceOne",
  "replace all": "replaceAll",
  close: "close",
  "current match": "currentMatch",
  "on line": "onLine",
  "replaced $ matches": "replaced",
  "replaced match on line $": "replacedOnLine",
  "Go to line": "goToLine",
  go: "go",
  Diagnostics: "diagnostics",
  "No diagnostics": "noDiagnostics",
  "Folded lines": "foldedLines",
  "Unfolded lines": "unfoldedLines",
  "folded code": "foldedCode",
  unfold: "unfold",
  "Fold line": "foldLine",
  "Unfold line": "unfoldLine",
  to: "to",
  Completions: "completions",
  "$ unchanged lines": "unchanged",
  "Control character": "controlCharacter",
  "Selection deleted": "selectionDeleted",
} as const

export function phrases(t: (key: string) => string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(KEYS).map(([phrase, key]) => [phrase, t(`editor.code.phrases.${key}`).replace("#", "$")]),
  )
}
