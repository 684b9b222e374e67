/** The rules of names, said while somebody types. The server's word is the last one. */

export type NameRule = "task" | "entry" | "env" | "port" | "label" | "sha256" | "address"

const RULES: Record<NameRule, RegExp> = {
  task: /^(?=.{1,40}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
  entry: /^(?=.{1,13}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
  env: /^(?!PLUM_)[A-Za-z_][A-Za-z0-9_]*$/,
  port: /^(?=.{1,15}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
  label:
    /^(?!plum\.dev\/)([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/,
  sha256: /^[0-9a-f]{64}$/,
  address: /^(\/|https?:\/\/[^/])\S*$/,
}

export function follows(rule: NameRule, text: string): boolean {
  return RULES[rule].test(text)
}

/** The most characters a name may have, where that is few. */
export const LONGEST = { task: 40, entry: 13, port: 15 } as const

/** A text as a name of a task, as far as it can be one. */
export function taskNameFrom(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, LONGEST.task)
    .replace(/-+$/, "")
}

/** A name that none of the taken ones is: `main`, `main-2`, … */
export function freeName(stem: string, taken: readonly string[], longest: number): string {
  const base = stem.replace(/-\d+$/, "")
  for (let number = 1; ; number += 1) {
    const end = number === 1 ? "" : `-${number}`
    const name = base.slice(0, longest - end.length).replace(/-+$/, "") + end
    if (!taken.includes(name)) return name
  }
}

/** The variable by which a process finds the number of a port. */
export function portVariable(portName: string): string {
  return `PLUM_PORT_${portName.toUpperCase().replaceAll("-", "_")}`
}
