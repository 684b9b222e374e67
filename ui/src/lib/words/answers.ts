/** What a failed request came to, whatever it was told by: a Status, a line of text, or a broken connection. */

interface StatusCauseLike {
  reason?: string
  message?: string
  field?: string
}

export interface Answer {
  /** HTTP's code; 0 where no answer came. */
  code: number
  reason: string
  message: string
  name: string
  causes: readonly StatusCauseLike[]
  retryAfterSeconds: number
  /** Without an answer: whether it was waited for in vain, or given up by the reader. */
  silence?: "offline" | "timeout" | "cancelled"
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const text = (value: unknown): string => (typeof value === "string" ? value : "")
const number = (value: unknown): number => (typeof value === "number" ? value : 0)

/**
 * Reads a Status, an error that carries one (as `status`, `body` or `cause`), an error with a numeric `code` or `status`,
 * and what `fetch` throws.
 */
export function readAnswer(failure: unknown): Answer {
  const status = findStatus(failure)
  if (status) return fromStatus(status)
  const message = messageOf(failure)
  const code = codeOf(failure)
  if (code) return { ...NOTHING, code, message }
  return { ...NOTHING, message, silence: silenceOf(failure) }
}

const NOTHING: Answer = { code: 0, reason: "", message: "", name: "", causes: [], retryAfterSeconds: 0 }

function findStatus(failure: unknown, depth = 0): Record<string, unknown> | undefined {
  if (!isRecord(failure) || depth > 2) return undefined
  const isStatus =
    failure["kind"] === "Status" || (typeof failure["code"] === "number" && "reason" in failure)
  if (isStatus && !(failure instanceof DOMException)) return failure
  for (const name of ["status", "body", "cause"]) {
    const found = findStatus(failure[name], depth + 1)
    if (found) return found
  }
  return undefined
}

function fromStatus(status: Record<string, unknown>): Answer {
  const details = isRecord(status["details"]) ? status["details"] : {}
  const causes = Array.isArray(details["causes"]) ? details["causes"].filter(isRecord) : []
  return {
    code: number(status["code"]) || 500,
    reason: text(status["reason"]),
    message: text(status["message"]),
    name: text(details["name"]),
    causes: causes.map((one) => ({
      reason: text(one["reason"]),
      message: text(one["message"]),
      field: text(one["field"]),
    })),
    retryAfterSeconds: number(details["retryAfterSeconds"]),
  }
}

function messageOf(failure: unknown): string {
  if (typeof failure === "string") return failure
  return isRecord(failure) ? text(failure["message"]) : ""
}

function codeOf(failure: unknown): number {
  if (!isRecord(failure) || failure instanceof DOMException) return 0
  return number(failure["status"]) || number(failure["code"])
}

function silenceOf(failure: unknown): "offline" | "timeout" | "cancelled" {
  const name = isRecord(failure) ? text(failure["name"]) : ""
  if (name === "TimeoutError") return "timeout"
  return name === "AbortError" ? "cancelled" : "offline"
}
