/** Names and digests short enough for one line, still telling apart what differs. The whole is for copying. */

export interface AssignmentId {
  /** `<task>-<entry>`, or whatever stands before the suffix. */
  stem: string
  /** The 8 characters that tell copies of one entry apart; empty where the name has none. */
  suffix: string
}

const NAME = /^(?<stem>.+)-(?<suffix>[a-z2-7]{8})$/

/** The parts of an assignment's name, which is `<task>-<entry>-<8 base32 characters>`. */
export function splitAssignmentName(name: string): AssignmentId {
  const found = NAME.exec(name)?.groups
  return { stem: found?.["stem"] ?? name, suffix: found?.["suffix"] ?? "" }
}

/**
 * An assignment's name in at most `most` characters: the suffix stays whole, and the end of the stem, which is the
 * entry, stays longer than its beginning is cut.
 */
export function shortAssignmentName(name: string, most = 32): string {
  if (name.length <= most) return name
  const { stem, suffix } = splitAssignmentName(name)
  if (!suffix) return middle(name, most)
  return `${middle(stem, Math.max(3, most - suffix.length - 1))}-${suffix}`
}

/** A text cut in its middle to at most `most` characters. */
export function middle(text: string, most: number): string {
  if (text.length <= most) return text
  const kept = Math.max(2, most - 1)
  const head = Math.ceil(kept / 2)
  return `${text.slice(0, head)}…${text.slice(text.length - (kept - head))}`
}

/** The first 12 digits of a digest, as registries show them; without `sha256:`. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12)
}

/** The first group of a uid. */
export function shortUid(uid: string): string {
  return uid.split("-", 1)[0] ?? uid
}
