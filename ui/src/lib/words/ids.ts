/** Names and digests short enough for one line, still telling apart what differs. The whole is for copying. */

interface AssignmentId {
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

/** The first 12 digits of a digest, as registries show them; without `sha256:`. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12)
}
