import { describe, expect, it } from "vitest"
import { ApiFailure } from "../api/client"
import type { Status } from "../api/types"
import { readEarlier, type Shown } from "./earlier"

const status: Status = {
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  code: 400,
  message: "no",
}

async function earlier(shown: Shown, count: number, ...answers: (string | undefined)[]) {
  const queries: Record<string, string>[] = []
  const found = await readEarlier(
    async (query) => {
      queries.push(query)
      const text = answers.shift()
      if (text === undefined) throw new ApiFailure("no", status)
      return new Blob([text]).stream()
    },
    shown,
    count,
    new AbortController().signal,
  )
  return { queries, lines: found.lines.map(({ text }) => text), isFirst: found.isFirst }
}

const shown: Shown = { cursor: "3:6", beginsRun: false, newestRun: 3, since: 4 }

describe("readEarlier", () => {
  it("asks for a longer end, and keeps what comes before", async () => {
    const found = await earlier(shown, 2, "3:2 T a\n3:4 T b\n3:6 T c\n3:8 T d\n")
    expect(found.lines).toEqual(["a", "b"])
    expect(found.queries).toEqual([{ cursors: "true", tailLines: "6" }])
  })

  it("reads from the beginning of the run where the end was not long enough", async () => {
    const found = await earlier(shown, 1, "3:6 T c\n", "3:2 T a\n3:4 T b\n3:6 T c\n")
    expect(found.lines).toEqual(["b"])
    expect(found.queries[1]).toEqual({ cursors: "true", cursor: "3:0" })
  })

  it("goes on with the end of the run before", async () => {
    const found = await earlier({ ...shown, beginsRun: true }, 5, "2:2 T x\n2:4 T y\n")
    expect(found).toMatchObject({ lines: ["x", "y"], isFirst: false })
    expect(found.queries).toEqual([{ cursors: "true", previous: "true", tailLines: "5" }])
  })

  it("reads older runs from their beginnings", async () => {
    const found = await earlier(
      { ...shown, cursor: "2:2", beginsRun: true },
      1,
      "1:2 T x\n1:4 T y\n2:2 T a\n",
    )
    expect(found.lines).toEqual(["y"])
    expect(found.queries).toEqual([{ cursors: "true", cursor: "1:0" }])
  })

  it("knows the beginning", async () => {
    expect(await earlier({ ...shown, cursor: "1:2", beginsRun: true }, 1)).toMatchObject({ isFirst: true })
    expect(await earlier({ ...shown, beginsRun: true }, 1, undefined)).toMatchObject({ isFirst: true })
    const gone = "2:0 T --- run 1 was removed before all of it was read ---\n2:2 T a\n"
    expect(await earlier({ ...shown, cursor: "2:2", beginsRun: true }, 1, gone)).toMatchObject({
      isFirst: true,
    })
  })
})
