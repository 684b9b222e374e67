import { describe, expect, it } from "vitest"
import { ApiFailure } from "../api/client"
import type { Status } from "../api/types"
import { LogFollower, type FollowState, type LogWorld, type Sink } from "./follower"

type Answer = Error | { text: string; breaks?: boolean }

const status: Status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message: "no" }
const failure = (code: number) => new ApiFailure("no", { ...status, code })

function body({ text, breaks }: { text: string; breaks?: boolean }): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text))
      if (breaks) setTimeout(() => controller.error(new TypeError("network error")))
      else controller.close()
    },
  })
}

/** Follow a log that is answered with these, in turn. */
async function followed(answers: Answer[], previous = false) {
  const queries: Record<string, string>[] = []
  const waits: number[] = []
  const seen: string[] = []
  const states: FollowState["state"][] = []
  const world: LogWorld = {
    async open(query) {
      queries.push(query)
      const answer = answers.shift()
      if (!answer) throw failure(404)
      if (answer instanceof Error) throw answer
      return body(answer)
    },
    async delay(milliseconds, signal) {
      if (milliseconds >= 30_000)
        return new Promise((resolve) => signal.addEventListener("abort", () => resolve()))
      waits.push(milliseconds)
    },
    turn: async () => ({ signal: new AbortController().signal, end: () => undefined }),
    random: () => 1,
  }
  const sink: Sink = {
    past: (lines, isWhole) => seen.push(`past ${lines.map(({ text }) => text).join()} ${isWhole}`),
    lines: (lines) => seen.push(lines.map(({ text }) => text).join()),
    state: ({ state }) => states.push(state),
    room: async () => undefined,
  }
  await new LogFollower(world, sink, { tail: 2, previous }).run(new AbortController().signal)
  return { queries, waits, seen, states }
}

describe("LogFollower", () => {
  it("reads what there is, then what comes", async () => {
    const found = await followed([{ text: "1:2 T a\n1:4 T b\n1:4\n" }, { text: "1:6 T c\n1:6\n" }])
    expect(found.seen).toEqual(["past a,b false", "c"])
    expect(found.queries).toEqual([
      { cursors: "true", tailLines: "2" },
      { cursors: "true", follow: "true", cursor: "1:4" },
    ])
    expect(found.states).toEqual(["opening", "live", "ended"])
  })

  it("goes on exactly where it was when a connection breaks, cut lines left out", async () => {
    const found = await followed([
      { text: "1:2 T a\n1:2\n" },
      { text: "1:4 T b\n1:6 T cu", breaks: true },
      { text: "1:6 T cut\n1:6\n" },
    ])
    expect(found.seen).toEqual(["past a true", "b", "cut"])
    expect(found.queries.at(-1)?.["cursor"]).toBe("1:4")
    expect(found.states).toEqual(["opening", "live", "waiting", "live", "ended"])
  })

  it("does not show the same note twice after a break", async () => {
    const note =
      "1:4 T --- the log of run 1 is gone: out.log was removed, and with it what is written to it ---\n"
    const found = await followed([
      { text: "1:4\n" },
      { text: note, breaks: true },
      { text: `${note}2:3 T x\n` },
    ])
    expect(found.seen.slice(1)).toEqual([note.slice(6, -1), "x"])
  })

  it("waits for what waiting mends, longer each time, and no longer for what it does not", async () => {
    const found = await followed([failure(503), failure(504), failure(429), failure(400)])
    expect(found.waits).toEqual([250, 500, 1000])
    expect(found.states).toEqual(["opening", "waiting", "waiting", "waiting", "failed"])
  })

  it("begins before the first run where there was nothing yet", async () => {
    const found = await followed([{ text: "" }, { text: "1:2 T a\n" }])
    expect(found.queries.at(-1)?.["cursor"]).toBe("0:0")
  })

  it("does not follow the run before", async () => {
    const found = await followed([{ text: "3:2 T a\n3:2\n" }], true)
    expect(found.queries).toEqual([{ cursors: "true", tailLines: "2", previous: "true" }])
    expect(found.states).toEqual(["opening", "ended"])
  })
})
