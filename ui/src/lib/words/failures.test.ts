import { describe, expect, it } from "vitest"
import { explainFailure, type FailureContext } from "./failures"
import { said } from "./speaking"

const status = (code: number, reason: string, message: string, details: object = {}) => ({
  kind: "Status",
  status: "Failure",
  code,
  reason,
  message,
  details,
})

const SAVE: FailureContext = { action: "save", kind: "Task", name: "web", namespace: "default" }

function explain(failure: unknown, context: FailureContext = SAVE) {
  const { title, text, remedy, ...rest } = explainFailure(failure, context)
  return { ...rest, title: said(title), text: said(text), remedy: said(remedy) }
}

describe("what is in use", () => {
  it("names its users and links to them", () => {
    const causes = ["assignments/default/a", "assignments/team/b"].map((field) => ({
      reason: "InUse",
      field,
      message: "",
    }))
    const message = "node in use: 12 assignments (a, b, c, …)"
    const refused = status(409, "Conflict", message, { name: "nodeA", kind: "nodes", causes })
    expect(explain(refused, { action: "delete", kind: "Node", name: "nodeA" })).toMatchObject({
      code: "inUse",
      title: "Not deleted",
      text: "12 instances still belong to the node nodeA.",
      remedy: "Remove what uses it first.",
      raw: message,
      links: [
        { kind: "Assignment", namespace: "default", name: "a" },
        { kind: "Assignment", namespace: "team", name: "b" },
      ],
      moreLinks: 10,
      more: { key: "words.more", params: { count: 10 } },
      fields: [],
    })
  })

  it("is told as well where nobody names the users", () => {
    const refused = status(409, "Conflict", "artifact in use: 1 user (web)", { name: "shop-1" })
    const found = explain(refused, { action: "delete", kind: "App" })
    expect(found).toMatchObject({
      text: "shop-1 is still used, by one task or instance.",
      links: [],
      moreLinks: 1,
    })
  })
})

describe("other conflicts", () => {
  it.each([
    ["AlreadyExists", 'tasks.plum.dev "web" already exists', "exists"],
    [
      "Conflict",
      'Operation cannot be fulfilled on tasks "web": the object has been modified; please apply',
      "changed",
    ],
    [
      "Conflict",
      "Operation cannot be fulfilled: the UID in the request (a) is not that of the stored object (b)",
      "replaced",
    ],
    ["Conflict", "Precondition failed: UID in precondition: a, UID in object meta: b", "replaced"],
    [
      "Conflict",
      "Precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: 2",
      "changed",
    ],
    ["Conflict", "the lease plum-system/x stays", "conflict"],
  ])("%s: %s", (reason, message, code) => {
    expect(explain(status(409, reason, message)).code).toBe(code)
  })

  it("names the fields that others manage", () => {
    const causes = [
      { reason: "FieldManagerConflict", field: ".spec.state", message: 'conflict with "kubectl"' },
    ]
    const found = explain(status(409, "Conflict", "Apply failed with 1 conflict", { causes }))
    expect(found).toMatchObject({
      code: "managed",
      fields: [
        { field: ".spec.state", says: { key: "words.fault.managed", params: { manager: "kubectl" } } },
      ],
    })
  })
})

describe("what is wrong with an object", () => {
  it("comes field by field", () => {
    const causes = [
      { reason: "FieldValueInvalid", field: "spec.entries[0].name", message: "must be a DNS label" },
    ]
    expect(explain(status(422, "Invalid", "Task is invalid", { causes }))).toMatchObject({
      code: "invalid",
      title: "Not saved",
      text: "Some fields are not right.",
      fields: [{ field: "spec.entries[0].name", message: "must be a DNS label" }],
    })
  })

  it("comes also where a field is unknown", () => {
    const message = 'strict decoding error: unknown field "spec.foo", duplicate field "spec.state"'
    expect(explain(status(400, "BadRequest", message))).toMatchObject({
      code: "unknownFields",
      fields: [
        { field: "spec.foo", says: { key: "words.fault.unknown" } },
        { field: "spec.state", says: { key: "words.fault.duplicate" } },
      ],
    })
  })

  it("may be an archive that is missing, or none", () => {
    const causes = [
      { field: "spec.sha256", message: 'Invalid value: "a": upload the archive first: PUT /artifacts' },
    ]
    expect(explain(status(422, "Invalid", "App is invalid", { causes })).code).toBe("blobMissing")
    const upload: FailureContext = { action: "upload" }
    expect(explain({ status: 400, message: "not a zip: pack the app again" }, upload)).toMatchObject({
      code: "noArchive",
      raw: "not a zip: pack the app again",
    })
  })
})

describe("an answer by its code", () => {
  it.each([
    [401, "Unauthorized", "Unauthorized: send a valid bearer token", "unauthorized"],
    [403, "Forbidden", 'users "x" is forbidden', "forbidden"],
    [
      403,
      "Forbidden",
      "requests from other web pages are refused, but for those of --cors-origin",
      "foreignPage",
    ],
    [403, "Forbidden", "the host 'plum' is not this server's: use 127.0.0.1", "foreignPage"],
    [403, "Forbidden", 'namespaces "default" is forbidden: this namespace may not be deleted', "permanent"],
    [404, "NotFound", 'tasks.plum.dev "web" not found', "notFound"],
    [404, "NotFound", "the server could not find the requested resource", "notSupported"],
    [405, "MethodNotAllowed", "the server does not allow POST", "notSupported"],
    [410, "Expired", "The provided continue parameter is too old", "expired"],
    [413, "RequestEntityTooLarge", "the artifact is over the limit", "tooLarge"],
    [429, "TooManyRequests", "another backup is being made", "tooMany"],
    [500, "InternalError", "Internal error occurred", "serverError"],
    [503, "ServiceUnavailable", "the server is shutting down", "unavailable"],
    [
      503,
      "ServiceUnavailable",
      "node n has no channel to this server: its agent is not running",
      "noChannel",
    ],
    [504, "Timeout", "the request took longer than 30 s", "serverTimeout"],
    [418, "Teapot", "short and stout", "other"],
  ])("%i %s: %s", (code, reason, message, expected) => {
    expect(explain(status(code, reason, message)).code).toBe(expected)
  })

  it("says after how long to try again", () => {
    const found = explain(status(429, "TooManyRequests", "busy", { retryAfterSeconds: 5 }))
    expect(found).toMatchObject({ retryAfterSeconds: 5, remedy: "Try again in 5 s." })
  })

  it("tells of a namespace that goes", () => {
    const causes = [{ reason: "NamespaceTerminating", field: "metadata.namespace", message: "" }]
    expect(explain(status(403, "Forbidden", "because it is being terminated", { causes })).code).toBe(
      "terminating",
    )
  })

  it("tells of logs that there are not", () => {
    const log: FailureContext = { action: "log", kind: "Assignment", name: "a" }
    expect(
      explain(status(400, "BadRequest", 'assignment "a" has no node yet: there is no log'), log).code,
    ).toBe("notPlaced")
    expect(explain(status(400, "BadRequest", "previous terminated container not found"), log).code).toBe(
      "noSuchLog",
    )
  })
})

describe("no answer at all", () => {
  it("is told from one that was given up", () => {
    expect(explain(new TypeError("Failed to fetch"))).toMatchObject({
      code: "offline",
      raw: "Failed to fetch",
    })
    expect(explain(new DOMException("timed out", "TimeoutError")).code).toBe("timeout")
    expect(explain(new DOMException("aborted", "AbortError")).code).toBe("cancelled")
    expect(explain(undefined).code).toBe("offline")
  })
})

describe("an error that carries its Status", () => {
  it("is read wherever it has it", () => {
    const missing = status(404, "NotFound", 'tasks.plum.dev "web" not found', { name: "web" })
    for (const failure of [
      Object.assign(new Error("x"), { status: missing }),
      Object.assign(new Error("x"), { body: missing }),
      new Error("x", { cause: missing }),
    ]) {
      expect(explain(failure)).toMatchObject({
        code: "notFound",
        text: "web does not exist, or not any more.",
      })
    }
    expect(explain(Object.assign(new Error("gone"), { status: 404 })).code).toBe("notFound")
  })
})
