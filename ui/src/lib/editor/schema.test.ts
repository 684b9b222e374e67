import { describe, expect, it } from "vitest"
import { fieldsOf, nearest, schemaOf } from "./schema"

const ref = (name: string, description: string) => ({
  description,
  allOf: [{ $ref: `#/components/schemas/${name}` }],
})
const OPENAPI = {
  components: {
    schemas: {
      "dev.plum.v1.Task": {
        type: "object",
        required: ["spec"],
        properties: { spec: ref("dev.plum.v1.TaskSpec", "Wanted."), status: { type: "object" } },
      },
      "dev.plum.v1.TaskSpec": {
        description: "The spec.",
        type: "object",
        properties: {
          state: { type: "string", enum: ["Running", "Stopped"] },
          entries: { type: "array", items: { $ref: "#/components/schemas/dev.plum.v1.Entry" } },
        },
      },
      "dev.plum.v1.Entry": {
        type: "object",
        properties: { nodeReplicas: { type: "object", additionalProperties: { type: "integer" } } },
      },
    },
  },
}

describe("the schema", () => {
  const schema = schemaOf(OPENAPI, "Task")

  it("is walked by path", () => {
    expect(schema?.at(["spec"])).toMatchObject({ description: "Wanted.", type: "object" })
    expect(schema?.at(["spec", "state"])?.enum).toEqual(["Running", "Stopped"])
    expect(schema?.at(["spec", "entries", 3, "nodeReplicas", "nodeA"])?.type).toBe("integer")
    expect(schema?.at(["spec", "nothing"])).toBeUndefined()
  })

  it("names what people write", () => {
    expect(fieldsOf(schema?.at([]))).toEqual([{ name: "spec", required: true }])
  })

  it("finds what was meant", () => {
    expect(nearest("replica", ["replicas", "env"])).toBe("replicas")
    expect(nearest("nothing", ["replicas", "env"])).toBeUndefined()
  })

  it("is not there where the server has none", () => {
    expect(schemaOf({}, "Task")).toBeUndefined()
  })
})
