/** Values that the fleet knows for a field: apps that were uploaded, nodes that are there, entries of the task. */

import { appChoices } from "@/lib/editor/apps"
import { entryName } from "@/lib/editor/derived"
import { namespaceOf } from "@/lib/editor/manifest"
import type { Path } from "@/lib/editor/paths"
import { itemsOf, textOf } from "@/lib/editor/values"
import type { Draft, Surroundings } from "./draft"

export function fieldValues(draft: Draft, surroundings: Surroundings): (path: Path) => string[] {
  return (path) => {
    const dotted = path.join(".")
    const choices = appChoices(surroundings.apps.value, namespaceOf(draft.value.value))
    const entry = path.slice(0, 3)
    if (/\.app\.name$/.test(dotted)) return choices.map(({ name }) => name)
    if (/\.app\.version$/.test(dotted)) {
      const name = textOf(draft.read([...path.slice(0, -1), "name"]))
      return choices.find((one) => one.name === name)?.versions.map(({ spec }) => spec.version) ?? []
    }
    if (/^metadata\.namespace$/.test(dotted)) return [...surroundings.namespaces.value]
    if (/\.(services\.\d+|httpGet|tcpSocket)\.port$/.test(dotted))
      return itemsOf(draft.read([...entry, "ports"])).map((port) => textOf(port["name"]))
    if (/\.dependsOn\b/.test(dotted)) return itemsOf(draft.read(["spec", "entries"])).map(entryName)
    return []
  }
}
