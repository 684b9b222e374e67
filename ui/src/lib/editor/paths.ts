/** Paths of fields as the server writes them: `spec.entries[0].ports[1].name`, `spec.entries[0].nodeReplicas[nodeA]`. */

export type Path = readonly (string | number)[]

/** Read a path. What stands in brackets is an index, or the key of a map. */
export function parsePath(text: string): Path {
  const parts: (string | number)[] = []
  for (const { groups } of text.matchAll(/\[(?<inner>[^\]]*)\]|(?<word>[^.[\]]+)/g)) {
    const inner = groups?.["inner"]
    if (inner === undefined) parts.push(groups?.["word"] ?? "")
    else parts.push(/^\d+$/.test(inner) ? Number(inner) : inner.replace(/^"(.*)"$/, "$1"))
  }
  return parts
}

/** Write a path; keys that are no plain word go into brackets. */
export function formatPath(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`
      if (!/^[\w-]+$/.test(part)) return `[${part}]`
      return index ? `.${part}` : part
    })
    .join("")
}

export function startsWith(path: Path, start: Path): boolean {
  return start.every((part, index) => path[index] === part)
}

export function samePath(one: Path, other: Path): boolean {
  return one.length === other.length && startsWith(one, other)
}
