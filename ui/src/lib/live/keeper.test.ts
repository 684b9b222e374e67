import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { delay } from "../delay"
import { Keeper, type Port } from "./keeper"
import type { ToTab } from "./messages"

let requests: string[]
let isDown: boolean
let keeper: Keeper

beforeEach(() => {
  vi.useFakeTimers()
  requests = []
  isDown = false
  keeper = new Keeper({
    fetch: (path, { signal }) => {
      requests.push(path)
      if (isDown) return Promise.reject(new Error("refused"))
      if (!path.includes("/watch?"))
        return Promise.resolve(Response.json({ metadata: { resourceVersion: "5" }, items: [] }))
      const body = new ReadableStream({
        start: (controller) => signal.addEventListener("abort", () => controller.error(new Error("closed"))),
      })
      return Promise.resolve(new Response(body))
    },
    delay,
    now: () => Date.now(),
    random: () => 0,
  })
})

afterEach(() => vi.useRealTimers())

function tab(): { port: Port; heard: ToTab[] } {
  const heard: ToTab[] = []
  return { port: { post: (message) => heard.push(message) }, heard }
}

const settle = (milliseconds = 100) => vi.advanceTimersByTimeAsync(milliseconds)
const watches = () => requests.filter((path) => path.includes("/watch?"))

it("follows what any tab wants over one connection, and gives a new tab what it knows", async () => {
  const one = tab()
  const other = tab()
  keeper.hear(one.port, { type: "want", kinds: ["nodes"] })
  await settle()
  keeper.hear(other.port, { type: "want", kinds: ["nodes"] })
  await settle()
  expect(watches()).toHaveLength(1)
  expect(other.heard.map(({ type }) => type)).toEqual(["connection", "snapshot"])
  keeper.hear(other.port, { type: "want", kinds: ["tasks"] })
  await settle()
  expect(watches().at(-1)).toContain("resources=nodes,tasks&")
})

it("tells a tab only of the kinds that it wants", async () => {
  const one = tab()
  const other = tab()
  keeper.hear(one.port, { type: "want", kinds: ["nodes"] })
  keeper.hear(other.port, { type: "want", kinds: ["tasks"] })
  await settle()
  const kinds = (heard: ToTab[]) =>
    heard.flatMap((message) => (message.type === "snapshot" ? [message.kind] : []))
  expect(kinds(one.heard)).toEqual(["nodes"])
  expect(kinds(other.heard)).toEqual(["tasks"])
})

it("follows a kind a while longer, for who goes back, and ends the connection after the last tab", async () => {
  const one = tab()
  keeper.hear(one.port, { type: "want", kinds: ["nodes"] })
  await settle()
  keeper.hear(one.port, { type: "want", kinds: ["tasks"] })
  await settle()
  expect(watches().at(-1)).toContain("resources=nodes,tasks&")
  await settle(40_000)
  keeper.hear(one.port, { type: "ping" })
  keeper.tidy()
  await settle()
  expect(watches().at(-1)).toContain("resources=tasks&")
  const before = requests.length
  keeper.hear(one.port, { type: "bye" })
  await settle(60_000)
  expect(requests).toHaveLength(before)
})

it("asks in one name for all tabs, and tells each of them", async () => {
  const tokens = (heard: ToTab[]) =>
    heard.flatMap((message) => (message.type === "token" ? [message.token] : []))
  const one = tab()
  const other = tab()
  keeper.hear(one.port, { type: "hello", token: "" })
  keeper.hear(one.port, { type: "want", kinds: ["nodes"] })
  keeper.hear(one.port, { type: "signIn", token: "ann" })
  await settle()
  // A new tab, which remembers nobody or somebody else, goes on as who the others are.
  keeper.hear(other.port, { type: "hello", token: "old" })
  expect(tokens(other.heard)).toEqual(["ann"])
  keeper.hear(other.port, { type: "signOut" })
  expect(tokens(one.heard)).toEqual(["ann", ""])
})

it("forgets a tab that was silent for long, and says so when it speaks again", async () => {
  const one = tab()
  keeper.hear(one.port, { type: "want", kinds: ["nodes"] })
  await settle(200_000)
  keeper.tidy()
  keeper.hear(one.port, { type: "ping" })
  expect(one.heard.at(-1)).toEqual({ type: "forgotten" })
})

it("tries again at once when somebody looks, and not whenever a tab says that it is there", async () => {
  const one = tab()
  isDown = true
  keeper.hear(one.port, { type: "want", kinds: ["nodes"] })
  await settle(120_000)
  const before = requests.length
  for (let times = 0; times < 100; times += 1) {
    keeper.hear(one.port, { type: "ping" })
    await settle(10)
  }
  expect(requests.length - before).toBeLessThan(2)
  isDown = false
  keeper.hear(one.port, { type: "hurry" })
  await settle()
  expect(watches()).toHaveLength(1)
})
