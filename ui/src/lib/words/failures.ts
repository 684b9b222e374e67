/** Why a request failed, in plain words, with what to do and with links to what stands in the way. Pure. */
import { readAnswer, type Answer } from "./answers"
import { sentence, type Sentence } from "./sentences"

export const ACTIONS = [
  "load",
  "create",
  "save",
  "delete",
  "start",
  "stop",
  "restart",
  "scale",
  "rollback",
  "cordon",
  "uncordon",
  "upload",
  "log",
  "resolve",
] as const

export type Action = (typeof ACTIONS)[number]

export interface FailureContext {
  action: Action
  /** The kind of the object, as in its manifest: Task, Node, … */
  kind?: string
  name?: string
  namespace?: string
}

export interface FailureLink {
  /** Task, Assignment, Node, App, Service, … */
  kind: string
  namespace?: string
  name: string
}

export interface FailureField {
  /** The path as the server writes it: `spec.entries[0].name`; empty where it concerns the whole. */
  field: string
  message: string
}

export interface Failure {
  /** A word for programs: inUse, changed, notFound, … */
  code: FailureCode
  title: Sentence
  text: Sentence
  /** The server's own sentence. */
  raw: string
  remedy?: Sentence
  links: FailureLink[]
  /** How many more there are than `links` names. */
  moreLinks: number
  fields: FailureField[]
  /** After how many seconds another try makes sense, where the server said so. */
  retryAfterSeconds?: number
}

export const FAILURES = [
  "offline",
  "timeout",
  "cancelled",
  "badRequest",
  "unknownFields",
  "badArchive",
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

const remedies: ReadonlySet<string> = new Set(FAILURE_REMEDIES)

export function explainFailure(failure: unknown, context: FailureContext): Failure {
  const answer = readAnswer(failure)
  const code = classify(answer, context)
  const links = linksOf(answer)
  const params = paramsOf(answer, context)
  const explained: Failure = {
    code,
    title: sentence(`failureTitle.${context.action}`),
    text: textOf(code, context, params),
    raw: answer.message,
    links,
    moreLinks: code === "inUse" ? Math.max(0, usersIn(answer) - links.length) : 0,
    fields: fieldsOf(code, answer),
  }
  if (remedies.has(code)) explained.remedy = sentence(`failureRemedy.${code}`, params)
  if (answer.retryAfterSeconds) explained.retryAfterSeconds = answer.retryAfterSeconds
  return explained
}

function classify(answer: Answer, context: FailureContext): FailureCode {
  if (answer.silence) return answer.silence
  switch (answer.code) {
    case 400:
      return badRequest(answer, context)
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

function badRequest(answer: Answer, context: FailureContext): FailureCode {
  if (has(answer.message, "strict decoding error")) return "unknownFields"
  if (has(answer.message, "has no node yet") || has(answer.message, "does not have a host"))
    return "notPlaced"
  if (context.action === "log" && has(answer.message, "previous")) return "noSuchLog"
  return context.action === "upload" ? "badArchive" : "badRequest"
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

const IN_USE = /in use: (?<count>\d+) /

/** How many use it; the answer names only some. */
function usersIn(answer: Answer): number {
  const found = IN_USE.exec(answer.message)?.groups?.["count"]
  return found ? Number(found) : answer.causes.filter((one) => one.reason === "InUse").length
}

/** What is said of each kind that can be in use, and of the others. */
const USABLE: ReadonlySet<string> = new Set(["Node", "App", "Namespace"])

function textOf(
  code: FailureCode,
  context: FailureContext,
  params: Record<string, string | number>,
): Sentence {
  if (code === "inUse") {
    const kind = context.kind && USABLE.has(context.kind) ? context.kind : "other"
    return sentence(`inUse.${kind}`, params)
  }
  return sentence(`failure.${code}`, params)
}

function paramsOf(answer: Answer, context: FailureContext): Record<string, string | number> {
  return {
    name: answer.name || context.name || "",
    code: answer.code,
    message: answer.message,
    seconds: answer.retryAfterSeconds || 1,
    count: usersIn(answer) || answer.causes.length,
  }
}

/** The kinds behind the plurals by which the server names users. */
const KINDS: Record<string, string> = {
  tasks: "Task",
  assignments: "Assignment",
  nodes: "Node",
  services: "Service",
  apps: "App",
  endpoints: "Endpoint",
  leases: "Lease",
  events: "Event",
}

/** The users of what is in use come as data: `assignments/default/web-main-abc` is the field of a cause `InUse`. */
function linksOf(answer: Answer): FailureLink[] {
  return answer.causes.flatMap((one) => {
    if (one.reason !== "InUse") return []
    const [plural = "", namespace = "", name = ""] = (one.field ?? "").split("/")
    return name ? [{ kind: KINDS[plural] ?? plural, namespace, name }] : []
  })
}

function fieldsOf(code: FailureCode, answer: Answer): FailureField[] {
  if (code === "unknownFields") return unknownFields(answer.message)
  if (code !== "invalid" && code !== "managed" && code !== "badRequest") return []
  return answer.causes.map((one) => ({ field: one.field ?? "", message: one.message ?? "" }))
}

/** Of `strict decoding error: unknown field "spec.foo", duplicate field "spec.bar"`. */
function unknownFields(message: string): FailureField[] {
  const found = message.matchAll(/(?<what>unknown|duplicate) field "(?<field>[^"]+)"/g)
  return [...found].map(({ groups }) => ({
    field: groups?.["field"] ?? "",
    message: `${groups?.["what"] ?? "unknown"} field`,
  }))
}
