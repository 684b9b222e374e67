/** What will run, said in a line. */

import type { DerivedEntry } from "@/lib/editor/derived"

type Translate = (key: string, params: Record<string, string | number>, plural?: number) => string

/** "4 copies of shop 2.1.0, placed by the scheduler" */
export function entrySentence(t: Translate, entry: DerivedEntry): string {
  if (!entry.what) return t("editor.derived.nothing", {})
  const copies = t("editor.derived.copies", { n: entry.copies, what: entry.what }, entry.copies)
  if (!entry.nodes.length) return t("editor.derived.anywhere", { copies })
  const list = entry.nodes
    .map(({ node, count }) => t("editor.derived.onNode", { node, n: count }, count))
    .join(t("editor.derived.comma", {}))
  return t("editor.derived.placed", { copies, list })
}
