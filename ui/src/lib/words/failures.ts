/** Why a request failed, in plain words, with what to do and with links to what stands in the way. Pure. */
import { readAnswer, type Answer } from "./answers"
import { classify, FAILURE_REMEDIES, IN_USE, type FailureCode } from "./classify"
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
  /** What is wrong with it in our words; none where only the server's say it. */
  says?: Sentence
  /** The server's own words; empty where ours say all of it. */
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
  /** "and 9 more" */
  more?: Sentence
  fields: FailureField[]
  /** After how many seconds another try makes sense, where the server said so. */
  retryAfterSeconds?: number
}

const remedies: ReadonlySet<string> = new Set(FAILURE_REMEDIES)

export function explainFailure(failure: unknown, context: FailureContext): Failure {
  const answer = readAnswer(failure)
  const code = classify(answer, context.action)
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
  if (links.length && explained.moreLinks) explained.more = sentence("more", { count: explained.moreLinks })
  if (answer.retryAfterSeconds) explained.retryAfterSeconds = answer.retryAfterSeconds
  return explained
}

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
  return answer.causes.map(({ field = "", message = "", reason = "" }) => {
    const says = faultOf(reason, message)
    return says ? { field, says, message: says.params ? "" : message } : { field, message }
  })
}

export const FAULTS = [
  "FieldValueRequired",
  "FieldValueDuplicate",
  "FieldValueNotSupported",
  "FieldValueForbidden",
  "FieldValueTooLong",
  "FieldValueTypeInvalid",
  "managed",
  "unknown",
  "duplicate",
] as const

const faults: ReadonlySet<string> = new Set(FAULTS)

/** What is wrong with a field, by the cause's reason. An invalid value is explained by the server's words alone. */
function faultOf(reason: string, message: string): Sentence | undefined {
  const manager = /^conflict with "(?<manager>[^"]+)"/.exec(message)?.groups?.["manager"]
  if (reason === "FieldManagerConflict" && manager) return sentence("fault.managed", { manager })
  return faults.has(reason) ? sentence(`fault.${reason}`) : undefined
}

/** Of `strict decoding error: unknown field "spec.foo", duplicate field "spec.bar"`. */
function unknownFields(message: string): FailureField[] {
  const found = message.matchAll(/(?<what>unknown|duplicate) field "(?<field>[^"]+)"/g)
  return [...found].map(({ groups }) => {
    const { what = "unknown", field = "" } = groups ?? {}
    return { field, says: sentence(`fault.${what}`), message: "" }
  })
}
