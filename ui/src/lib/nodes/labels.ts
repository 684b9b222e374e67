/** Labels being edited: the server's rules for them, and the merge patch that makes the change. Pure. */

export interface LabelDraft {
  key: string
  value: string
}

export type LabelProblem = "key" | "prefix" | "value" | "double" | "empty"

const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

const isName = (text: string): boolean => text.length <= 63 && NAME.test(text)

/** What is wrong with a key: an optional DNS prefix and a slash, then a name of at most 63 characters. */
export function keyProblem(key: string): LabelProblem | undefined {
  if (!key) return "empty"
  const slash = key.indexOf("/")
  if (slash >= 0 && !(key.slice(0, slash).length <= 253 && SUBDOMAIN.test(key.slice(0, slash))))
    return "prefix"
  return isName(key.slice(slash + 1)) ? undefined : "key"
}

export function valueProblem(value: string): LabelProblem | undefined {
  return value === "" || isName(value) ? undefined : "value"
}

/** The first problem of each row; a row without any text is none, and is left out. */
export function problemsOf(drafts: readonly LabelDraft[]): (LabelProblem | undefined)[] {
  const seen = new Map<string, number>()
  for (const { key } of drafts) seen.set(key, (seen.get(key) ?? 0) + 1)
  return drafts.map(({ key, value }) => {
    if (!key && !value) return undefined
    return keyProblem(key) ?? ((seen.get(key) ?? 0) > 1 ? "double" : undefined) ?? valueProblem(value)
  })
}

export function draftsOf(labels: Readonly<Record<string, string>> | undefined): LabelDraft[] {
  return Object.entries(labels ?? {}).map(([key, value]) => ({ key, value }))
}

/** What is to be merged into the labels; null takes one away. Undefined where nothing changes. */
export function labelPatch(
  before: Readonly<Record<string, string>> | undefined,
  drafts: readonly LabelDraft[],
): Record<string, string | null> | undefined {
  const after = new Map(drafts.filter(({ key }) => key).map(({ key, value }) => [key, value]))
  const patch: Record<string, string | null> = {}
  for (const key of Object.keys(before ?? {})) if (!after.has(key)) patch[key] = null
  for (const [key, value] of after) if (before?.[key] !== value) patch[key] = value
  return Object.keys(patch).length ? patch : undefined
}
