import { describe, expect, it } from "vitest"
import { ApiFailure } from "@/lib/api/client"
import type { Status } from "@/lib/api/types"
import { parse } from "./document"
import { serverProblems, syntaxProblems } from "./problems"

const TEXT =
  "metadata:\n  name: Web\nspec:\n  entries:\n    - replica: 2\n      ports: [{ name: A }, { name: '' }]\n"
const parsed = parse(TEXT)

function refusal(code: number, reason: string, message: string, causes: object[] = []): ApiFailure {
  const status = { kind: "Status", code, reason, message, details: { causes } } as unknown as Status
  return new ApiFailure(message, status)
}

const slice = ({ from, to }: { from: number; to: number }) => TEXT.slice(from, to)

describe("problems", () => {
  it("of fields stand at their values", () => {
    const cause = {
      reason: "FieldValueInvalid",
      field: "metadata.name",
      message: 'Invalid value: "Web": must be …',
    }
    const [problem] = serverProblems(refusal(422, "Invalid", "", [cause]), parsed) ?? []
    expect(problem).toMatchObject({ key: "taskName", missing: false })
    expect(problem && slice(problem.range)).toBe("Web")
  })

  it("of what is empty yet are no mistakes", () => {
    const cause = {
      reason: "FieldValueInvalid",
      field: "spec.entries[0].ports[1].name",
      message: 'Invalid value: "": …',
    }
    expect(serverProblems(refusal(422, "Invalid", "", [cause]), parsed)).toMatchObject([
      { key: "required", missing: true },
    ])
  })

  it("of unknown fields stand at their keys, and say what was meant", () => {
    const message = 'strict decoding error: unknown field "spec.entries[0].replica"'
    const [problem] =
      serverProblems(refusal(400, "BadRequest", message), parsed, () => ["replicas", "env"]) ?? []
    expect(problem).toMatchObject({ key: "unknownNear", params: { field: "replica", meant: "replicas" } })
    expect(problem && slice(problem.range)).toBe("replica")
  })

  it("of a name that is taken stand at the name", () => {
    const failure = refusal(409, "AlreadyExists", 'tasks "Web" already exists')
    expect(serverProblems(failure, parsed)).toMatchObject([{ key: "exists", path: ["metadata", "name"] }])
  })

  it("are none of what is not about fields", () => {
    expect(serverProblems(refusal(503, "ServiceUnavailable", "later"), parsed)).toBeUndefined()
    expect(serverProblems(new Error("x"), parsed)).toBeUndefined()
  })

  it("of the syntax have their place", () => {
    expect(syntaxProblems(parse("a: 1\na: 2\n"))).toMatchObject([{ key: "syntax.DUPLICATE_KEY" }])
  })
})
