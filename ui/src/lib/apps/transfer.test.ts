import { describe, expect, it } from "vitest"
import { ApiFailure } from "@/lib/api/client"
import { explainFailure } from "@/lib/words/failures"
import { mayPass, outcomeOf, problemOf, readAnswer } from "./transfer"

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
    expect(refusal(400, "not a zip: no agent unpacks it: the entry '../x' leads out").code).toBe(
      "unsafeArchive",
    )
    expect(refusal(400, "not a zip: File is not a zip file; pack the app again").code).toBe("noArchive")
    expect(refusal(413, "the artifact is over the limit of 5 bytes")).toMatchObject({ code: "tooLarge" })
    expect(refusal(401, "")).toMatchObject({ code: "unauthorized" })
  })
})

describe("mayPass", () => {
  it("offers another try where nobody has judged the file", () => {
    const failed = (code: number) => {
      try {
        readAnswer(code, "so it is")
      } catch (error) {
        return mayPass(error)
      }
    }
    expect([400, 403, 404, 413].map(failed)).toEqual([false, false, false, false])
    expect([401, 429, 500, 503, 504].map(failed)).toEqual([true, true, true, true, true])
    expect(mayPass(new ApiFailure(""))).toBe(true)
  })
})

describe("outcomeOf", () => {
  it("tells a new version from another content of one that is there, and from the same", () => {
    const before = { names: new Set(["shop-1-aaaa"]), versions: new Set(["shop 1"]) }
    const made = { artifactId: "shop-1-bbbb", name: "shop", version: "1", sha256: "", sizeBytes: 1 }
    expect(outcomeOf(made, before)).toBe("replaced")
    expect(outcomeOf({ ...made, artifactId: "shop-1-aaaa" }, before)).toBe("known")
    expect(outcomeOf({ ...made, version: "2" }, before)).toBe("done")
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
