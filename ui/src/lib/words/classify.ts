/** What kind of failure an answer is: by its code, its reason and causes, and where those say too little its message. */
import type { Answer } from "./answers"

export const FAILURES = [
  "offline",
  "timeout",
  "cancelled",
  "badRequest",
  "unknownFields",
  "badArchive",
  "noArchive",
  "unsafeArchive",
  "notPlaced",
  "noSuchLog",
  "unauthorized",
  "forbidden",
  "foreignPage",
  "permanent",
  "terminating",
  "notFound",
  "notSupported",
  "exists",
  "inUse",
  "changed",
  "replaced",
  "managed",
  "conflict",
  "expired",
  "tooLarge",
  "invalid",
  "blobMissing",
  "tooMany",
  "noChannel",
  "noRoom",
  "unavailable",
  "serverTimeout",
  "serverError",
  "other",
] as const

export type FailureCode = (typeof FAILURES)[number]

/** Those of which the advice is of use. */
export const FAILURE_REMEDIES = [
  "offline",
  "timeout",
  "badRequest",
  "unknownFields",
  "badArchive",
  "noArchive",
  "unsafeArchive",
  "notPlaced",
  "unauthorized",
  "forbidden",
  "foreignPage",
  "terminating",
  "notFound",
  "notSupported",
  "exists",
  "inUse",
  "changed",
  "replaced",
  "managed",
  "expired",
  "tooLarge",
  "invalid",
  "blobMissing",
  "tooMany",
  "noChannel",
  "noRoom",
  "unavailable",
  "serverTimeout",
  "serverError",
] as const satisfies readonly FailureCode[]

/** Of a refusal to delete: how many use the object. */
export const IN_USE = /in use: (?<count>\d+) /

/** `action` is what was asked for, where the answer does not tell. */
export function classify(answer: Answer, action: string): FailureCode {
  if (answer.silence) return answer.silence
  switch (answer.code) {
    case 400:
      return badRequest(answer, action)
    case 401:
      return "unauthorized"
    case 403:
      return forbidden(answer)
    case 404:
      return answer.message.startsWith("the server could not find the requested resource")
        ? "notSupported"
        : "notFound"
    case 405:
    case 406:
    case 415:
      return "notSupported"
    case 409:
      return conflict(answer)
    case 410:
      return "expired"
    case 413:
      return "tooLarge"
    case 422:
      return answer.causes.some(
        (one) => one.field === "spec.sha256" && has(one.message, "upload the archive first"),
      )
        ? "blobMissing"
        : "invalid"
    case 429:
      return "tooMany"
    case 503:
      return unavailable(answer)
    case 504:
      return "serverTimeout"
  }
  if (answer.code === 502) return "unavailable"
  return answer.code >= 500 ? "serverError" : "other"
}

const has = (text: string | undefined, part: string): boolean => text?.includes(part) ?? false

function badRequest(answer: Answer, action: string): FailureCode {
  if (has(answer.message, "strict decoding error")) return "unknownFields"
  if (has(answer.message, "has no node yet") || has(answer.message, "does not have a host"))
    return "notPlaced"
  if (action === "log" && has(answer.message, "previous")) return "noSuchLog"
  return action === "upload" ? badArchive(answer.message) : "badRequest"
}

/** What is wrong with an upload: it is no archive at all, one that no node would unpack, or one without an app. */
function badArchive(message: string): FailureCode {
  if (message.startsWith("not a zip: no agent unpacks it")) return "unsafeArchive"
  return message.startsWith("not a zip") ? "noArchive" : "badArchive"
}

function forbidden(answer: Answer): FailureCode {
  if (answer.causes.some((one) => one.reason === "NamespaceTerminating")) return "terminating"
  if (has(answer.message, "may not be deleted")) return "permanent"
  const isForeign = /^(requests from other web pages are refused|the host .+ is not this server's)/.test(
    answer.message,
  )
  return isForeign ? "foreignPage" : "forbidden"
}

function conflict(answer: Answer): FailureCode {
  if (answer.reason === "AlreadyExists") return "exists"
  if (answer.causes.some((one) => one.reason === "InUse") || IN_USE.test(answer.message)) return "inUse"
  if (answer.causes.some((one) => one.reason === "FieldManagerConflict")) return "managed"
  if (has(answer.message, "the object has been modified")) return "changed"
  const isAnother = /the UID in the request|does not exist any more|Precondition failed: UID/i.test(
    answer.message,
  )
  if (isAnother) return "replaced"
  return has(answer.message, "Precondition failed") ? "changed" : "conflict"
}

function unavailable(answer: Answer): FailureCode {
  if (has(answer.message, "has no channel to this server")) return "noChannel"
  return /no room|no space/i.test(answer.message) ? "noRoom" : "unavailable"
}
