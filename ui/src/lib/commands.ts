/** Commands for people to copy. What is put into them may come from anywhere, such as the address of the page. */

import { DEFAULT_NAMESPACE } from "./addresses"

const POSSIBLE = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

/** A text as one word of a shell's command. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

export function inNamespace(namespace: string): string {
  return namespace === DEFAULT_NAMESPACE ? "" : ` -n ${quoted(namespace)}`
}

/** What became of an object; none where nothing can be called so. */
export function historyCommand(
  kind: "assignment" | "node",
  name: string,
  namespace = DEFAULT_NAMESPACE,
): string | undefined {
  if (!POSSIBLE.test(name) || !POSSIBLE.test(namespace)) return undefined
  return `plumctl history ${kind}/${name}${inNamespace(namespace)}`
}
