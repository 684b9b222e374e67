import { describe, expect, it } from "vitest"
import { ApiFailure } from "@/lib/api/client"
import { explainFailure } from "@/lib/words/failures"
import { problemOf, readAnswer } from "./transfer"

function refusal(code: number, text: string) {
  try {
    readAnswer(code, text)
  } catch (error) {
    expect(error).toBeInstanceOf(ApiFailure)
    return explainFailure(error, { action: "upload" })
  }
  throw new Error("it was no refusal")
}

describe("readAnswer", () => {
  it("is the app", () => {
    expect(readAnswer(200, '{"name": "shop", "version": "1"}')).toMatchObject({ name: "shop" })
  })

  it("makes a refusal's line of text a failure with words", () => {
    const said = refusal(400, "zip must contain start.sh and meta.ini(name,version): has no start.sh\n")
    expect(said).toMatchObject({ code: "badArchive", raw: expect.stringContaining("has no start.sh") })
    expect(refusal(413, "the artifact is over the limit of 5 bytes")).toMatchObject({ code: "tooLarge" })
    expect(refusal(401, "")).toMatchObject({ code: "unauthorized" })
  })
})

describe("problemOf", () => {
  it("tells a zip by how it begins", async () => {
    expect(await problemOf(new Blob(["PK\u0003\u0004rest"]))).toBeUndefined()
    expect(await problemOf(new Blob(["#!/bin/sh"]))).toBe("notZip")
    expect(await problemOf(new Blob(["P"]))).toBe("notZip")
    expect(await problemOf(new Blob([]))).toBe("empty")
  })
})
