import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import type { Plural } from "../api/kinds"
import { delay } from "../delay"
import type { ApiObject, WatchEvent } from "./collection"
import { applyEvents, type Collection } from "./collection"
import type { Connection } from "./messages"
import { Watcher } from "./watcher"
import type { World } from "./world"

/** A server of a few objects: lists, and watches that the test feeds and breaks. */
class Server {
  lists: Partial<Record<Plural, { version: number; items: ApiObject[] }>> = {}
  requests: string[] = []
  tokens: string[] = []
  streams: Stream[] = []
  answer: ((path: string) => Response | undefined) | undefined

  fetch: World["fetch"] = (path, { headers, signal }) => {
    this.requests.push(path)
    this.tokens.push(headers["authorization"] ?? "")
    const own = this.answer?.(path)
    if (own) return Promise.resolve(own)
    if (path.includes("/watch?")) {
      const stream = new Stream(signal)
      this.streams.push(stream)
      return Promise.resolve(new Response(stream.body))
    }
    const plural = (/\/(\w+)\?/.exec(path)?.[1] ?? "") as Plural
    const { version, items } = this.lists[plural] ?? { version: 1, items: [] }
    return Promise.resolve(Response.json({ metadata: { resourceVersion: String(version) }, items }))
  }

  get stream(): Stream {
    const last = this.streams.at(-1)
    if (!last) throw new Error("nobody watches")
    return last
  }
}

class Stream {
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined
  readonly body: ReadableStream<Uint8Array>

  constructor(readonly signal: AbortSignal) {
    this.body = new ReadableStream({ start: (controller) => void (this.controller = controller) })
    signal.addEventListener("abort", () => this.break())
  }

  send(type: string, object: object): void {
    this.controller?.enqueue(new TextEncoder().encode(`${JSON.stringify({ type, object })}\n`))
  }

  break(): void {
    try {
      this.controller?.error(new TypeError("network error"))
    } catch {
      // it was closed
    }
  }

  end(): void {
    this.controller?.close()
  }
}

function object(kind: string, name: string, version: number): ApiObject {
  return {
    kind,
    metadata: { name, uid: `u-${name}`, resourceVersion: String(version), managedFields: [{ manager: "x" }] },
  }
}

let server: Server
let seen: { connections: Connection["state"][]; kinds: Map<Plural, Collection>; refused: Plural[] }
let watcher: Watcher

beforeEach(() => {
  vi.useFakeTimers()
  server = new Server()
  seen = { connections: [], kinds: new Map(), refused: [] }
  const world: World = {
    fetch: (path, init) => server.fetch(path, init),
    delay,
    now: () => Date.now(),
    random: () => 0.5,
  }
  watcher = new Watcher(world, {
    connection: ({ state }) => seen.connections.push(state),
    snapshot: (kind, objects) => seen.kinds.set(kind, objects),
    events: (kind, events: WatchEvent[]) =>
      seen.kinds.set(kind, applyEvents(seen.kinds.get(kind) ?? new Map(), events)),
    refused: (kind) => seen.refused.push(kind),
    clock: () => undefined,
  })
})

afterEach(() => {
  watcher.stop()
  vi.useRealTimers()
})

const settle = (milliseconds = 500) => vi.advanceTimersByTimeAsync(milliseconds)
const names = (kind: Plural) => [...(seen.kinds.get(kind)?.keys() ?? [])].sort()

describe("Watcher", () => {
  it("lists each kind and follows all of them over one connection", async () => {
    server.lists = {
      nodes: { version: 10, items: [object("Node", "a", 3)] },
      tasks: { version: 12, items: [object("Task", "t", 5)] },
    }
    watcher.want(["tasks", "nodes"])
    await settle()
    expect(seen.connections).toEqual(["live"])
    expect(server.requests.at(-1)).toBe(
      "/apis/plum.dev/v1/watch?resources=nodes,tasks&resourceVersion=10&allowWatchBookmarks=true",
    )
    server.stream.send("ADDED", object("Node", "b", 13))
    server.stream.send("DELETED", object("Task", "t", 14))
    await settle()
    expect(names("nodes")).toEqual(["a", "b"])
    expect(names("tasks")).toEqual([])
    expect(seen.kinds.get("nodes")?.get("b")?.metadata.managedFields).toBeUndefined()
  })

  it("passes over what a kind that was listed later has already", async () => {
    // The deletion of t at 11 is in the list of tasks, but comes again as the stream begins at 10.
    server.lists = {
      nodes: { version: 10, items: [] },
      tasks: { version: 12, items: [object("Task", "t", 12)] },
    }
    watcher.want(["nodes", "tasks"])
    await settle()
    server.stream.send("DELETED", object("Task", "t", 11))
    await settle()
    expect(names("tasks")).toEqual(["t"])
  })

  it("resumes after a break from the last version that it saw whole", async () => {
    server.lists = { nodes: { version: 10, items: [] } }
    watcher.want(["nodes"])
    await settle()
    server.stream.send("ADDED", object("Node", "a", 11))
    server.stream.send("ADDED", object("Node", "b", 12))
    await settle()
    // Version 12 may have had more changes than came through.
    server.stream.break()
    await settle(1000)
    expect(server.requests.at(-1)).toContain("resourceVersion=11&")
    server.stream.send("ADDED", object("Node", "b", 12))
    server.stream.send("ADDED", object("Node", "c", 12))
    await settle()
    expect(names("nodes")).toEqual(["a", "b", "c"])
  })

  it("takes a bookmark as the end of a version", async () => {
    server.lists = { nodes: { version: 10, items: [] } }
    watcher.want(["nodes"])
    await settle()
    server.stream.send("ADDED", object("Node", "a", 11))
    server.stream.send("BOOKMARK", { metadata: { resourceVersion: "40" } })
    await settle()
    server.stream.end()
    await settle(1000)
    expect(server.requests.at(-1)).toContain("resourceVersion=40&")
  })

  it("lists again when the server has forgotten the version, and shows what it knew until then", async () => {
    server.lists = { nodes: { version: 10, items: [object("Node", "a", 3)] } }
    watcher.want(["nodes"])
    await settle()
    server.lists = { nodes: { version: 90, items: [object("Node", "z", 80)] } }
    server.stream.send("ERROR", { code: 410, message: "too old" })
    expect(names("nodes")).toEqual(["a"])
    await settle(2000)
    expect(names("nodes")).toEqual(["z"])
    expect(server.requests.at(-1)).toContain("resourceVersion=90&")
  })

  it("lists again when the server has not reached the version yet: it serves older data", async () => {
    server.lists = { nodes: { version: 10, items: [object("Node", "a", 3)] } }
    watcher.want(["nodes"])
    await settle()
    server.lists = { nodes: { version: 4, items: [object("Node", "old", 2)] } }
    server.stream.send("ERROR", { code: 504, message: "Too large resource version: 10, current: 4" })
    await settle(2000)
    expect(names("nodes")).toEqual(["old"])
  })

  it("lists again when another database answers after a break, whatever its version", async () => {
    const namespace = (uid: string) => {
      const found = object("Namespace", "default", 1)
      return { ...found, metadata: { ...found.metadata, uid } }
    }
    let stored = namespace("one")
    server.answer = (path) => (path.endsWith("/namespaces/default") ? Response.json(stored) : undefined)
    server.lists = {
      namespaces: { version: 10, items: [stored] },
      nodes: { version: 10, items: [object("Node", "a", 3)] },
    }
    watcher.want(["namespaces", "nodes"])
    await settle()
    server.stream.break()
    await settle(2000)
    const lists = () => server.requests.filter((path) => path.includes("/nodes?")).length
    expect(lists()).toBe(1)
    stored = namespace("another")
    server.lists = {
      namespaces: { version: 99, items: [stored] },
      nodes: { version: 99, items: [object("Node", "z", 80)] },
    }
    server.stream.break()
    await settle(2000)
    expect(lists()).toBe(2)
    expect(names("nodes")).toEqual(["z"])
    expect(server.requests.at(-1)).toContain("resourceVersion=99&")
  })

  it("asks again when somebody doubts who asks, and keeps what it knows", async () => {
    server.lists = { nodes: { version: 10, items: [object("Node", "a", 3)] } }
    watcher.want(["nodes"])
    await settle()
    watcher.recheck()
    watcher.recheck()
    await settle()
    expect(server.streams).toHaveLength(2)
    expect(server.requests.filter((path) => path.includes("/nodes?"))).toHaveLength(1)
    server.answer = () => Response.json({ kind: "Status", code: 401 }, { status: 401 })
    await settle(10_000)
    watcher.recheck()
    await settle()
    expect(seen.connections).toEqual(["live", "signedOut"])
  })

  it("says quietly that it reconnects, tries ever more slowly, and goes on by itself", async () => {
    server.lists = { nodes: { version: 10, items: [] } }
    watcher.want(["nodes"])
    await settle()
    server.answer = () => {
      throw new TypeError("refused")
    }
    server.stream.break()
    await settle(100)
    expect(seen.connections).toEqual(["live"])
    await settle(60_000)
    expect(seen.connections).toEqual(["live", "reconnecting"])
    const tries = server.requests.length
    await settle(60_000)
    expect(server.requests.length - tries).toBeLessThan(10)
    server.answer = undefined
    await settle(20_000)
    expect(seen.connections).toEqual(["live", "reconnecting", "live"])
  })

  it("takes silence for a dead connection", async () => {
    watcher.want(["nodes"])
    await settle()
    const before = server.streams.length
    await settle(80_000)
    expect(server.streams.length).toBe(before + 1)
  })

  it("gives up a server that takes a request and never answers it", async () => {
    watcher.want(["nodes"])
    await settle()
    server.fetch = (path, { signal }) => {
      server.requests.push(path)
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("late"))))
    }
    const before = server.requests.length
    server.stream.break()
    await settle(170_000)
    expect(seen.connections).toEqual(["live", "reconnecting"])
    expect(server.requests.length - before).toBe(3)
  })

  it("waits for a token where the server asks for one, and forgets what another could see", async () => {
    server.answer = (path) =>
      server.tokens.at(-1) ? undefined : Response.json({ kind: "Status", code: 401, path }, { status: 401 })
    watcher.want(["nodes"])
    await settle(60_000)
    expect(seen.connections).toEqual(["signedOut"])
    expect(server.requests).toHaveLength(1)
    watcher.authenticate("secret")
    await settle()
    expect(server.tokens.at(-1)).toBe("Bearer secret")
    expect(seen.connections).toEqual(["signedOut", "live"])
  })

  it("goes on with the other kinds when one is refused", async () => {
    server.answer = (path) =>
      path.includes("/tasks?") ? Response.json({ kind: "Status", code: 403 }, { status: 403 }) : undefined
    watcher.want(["nodes", "tasks"])
    await settle()
    expect(seen.refused).toEqual(["tasks"])
    expect(server.requests.at(-1)).toContain("resources=nodes&")
  })

  it("opens one new stream for another set of kinds and lists only what is new", async () => {
    watcher.want(["nodes"])
    await settle()
    watcher.want(["nodes", "apps"])
    await settle()
    expect(server.requests.filter((path) => path.includes("/nodes?"))).toHaveLength(1)
    expect(server.streams).toHaveLength(2)
    expect(server.streams[0]?.signal.aborted).toBe(true)
  })

  it("tells of many events together", async () => {
    watcher.want(["nodes"])
    await settle()
    let told = 0
    const events = (watcher as unknown as { listener: { events: () => void } }).listener
    const original = events.events
    events.events = (...args: []) => {
      told += 1
      original(...args)
    }
    for (let version = 20; version < 120; version += 1) {
      server.stream.send(version === 20 ? "ADDED" : "MODIFIED", object("Node", "a", version))
    }
    await settle(1000)
    expect(told).toBeLessThan(4)
    expect(seen.kinds.get("nodes")?.get("a")?.metadata.resourceVersion).toBe("119")
  })
})
