/**
 * One connection for all tabs: the keeper runs in a shared worker (or, where a browser has none, in the page) and
 * follows what any of its tabs wants.
 */

import type { Plural } from "../api/kinds"
import type { ToKeeper, ToTab } from "./messages"
import { Watcher } from "./watcher"
import type { World } from "./world"

export interface Port {
  post(message: ToTab): void
}

interface Tab {
  kinds: ReadonlySet<Plural>
  heard: number
}

/** A tab says something every 20 s, or once a minute when the browser slows it down; then it is gone. */
export const PING_MS = 20_000
const GONE_MS = 180_000
/** The keeper is tidy more often than this: after a longer pause the machine was asleep. */
const ASLEEP_MS = 120_000
/** A kind that nobody wants any more is followed a while longer, for who goes back to a page. */
const LINGER_MS = 30_000

export class Keeper {
  private readonly tabs = new Map<Port, Tab>()
  private readonly leaving = new Map<Plural, number>()
  private readonly watcher: Watcher
  private token = ""
  private tidied = 0

  constructor(private readonly world: World) {
    this.watcher = new Watcher(world, {
      connection: (connection) => this.everybody({ type: "connection", connection }),
      snapshot: (kind, objects, truncated) =>
        this.interested(kind, { type: "snapshot", kind, objects: [...objects.values()], truncated }),
      events: (kind, events) => this.interested(kind, { type: "events", kind, events }),
      refused: (kind, status) => this.interested(kind, { type: "refused", kind, status }),
      clock: (ahead) => this.everybody({ type: "clock", ahead }),
    })
  }

  hear(port: Port, message: ToKeeper): void {
    if (message.type === "bye") {
      this.tabs.delete(port)
      this.settle()
      return
    }
    let tab = this.tabs.get(port)
    if (!tab) {
      if (["ping", "hurry", "doubt"].includes(message.type)) return port.post({ type: "forgotten" })
      tab = { kinds: new Set(), heard: 0 }
      this.tabs.set(port, tab)
      port.post({ type: "connection", connection: this.watcher.connection })
      if (this.watcher.ahead) port.post({ type: "clock", ahead: this.watcher.ahead })
    }
    tab.heard = this.world.now()
    switch (message.type) {
      case "hello":
        return this.greet(port, message.token)
      case "signIn":
        return this.use(message.token)
      case "signOut":
        return this.use("")
      case "want":
        return this.want(port, tab, message.kinds)
      case "hurry":
        return this.watcher.hurry()
      case "doubt":
        return this.watcher.recheck()
    }
  }

  /** Forget tabs that are gone and kinds that nobody wants. Call it now and then. */
  tidy(): void {
    const now = this.world.now()
    // What was connected when the machine fell asleep mostly is not any more, and nobody says so.
    if (this.tidied && now - this.tidied > ASLEEP_MS) this.watcher.recheck()
    this.tidied = now
    for (const [port, tab] of this.tabs) if (now - tab.heard > GONE_MS) this.tabs.delete(port)
    this.settle()
  }

  /** All tabs ask in one name: a new one takes over that of the others as long as the server accepts it. */
  private greet(port: Port, token: string): void {
    if (this.token && this.watcher.connection.state !== "signedOut")
      port.post({ type: "token", token: this.token })
    else if (token) this.use(token)
  }

  private use(token: string): void {
    this.token = token
    this.everybody({ type: "token", token })
    this.watcher.authenticate(token)
  }

  private want(port: Port, tab: Tab, kinds: readonly Plural[]): void {
    const before = tab.kinds
    tab.kinds = new Set(kinds)
    for (const kind of kinds) {
      if (before.has(kind)) continue
      const known = this.watcher.snapshot(kind)
      const refusal = this.watcher.refusal(kind)
      if (known) {
        const { objects, truncated } = known
        port.post({ type: "snapshot", kind, objects: [...objects.values()], truncated })
      } else if (refusal !== undefined) port.post({ type: "refused", kind, status: refusal })
    }
    this.settle()
  }

  private settle(): void {
    const now = this.world.now()
    const wanted = new Set<Plural>()
    for (const tab of this.tabs.values()) for (const kind of tab.kinds) wanted.add(kind)
    for (const kind of wanted) this.leaving.set(kind, now)
    if (this.tabs.size) {
      for (const [kind, last] of this.leaving) if (now - last < LINGER_MS) wanted.add(kind)
    }
    for (const kind of this.leaving.keys()) if (!wanted.has(kind)) this.leaving.delete(kind)
    this.watcher.want([...wanted])
  }

  private interested(kind: Plural, message: ToTab): void {
    for (const [port, tab] of this.tabs) if (tab.kinds.has(kind)) port.post(message)
  }

  private everybody(message: ToTab): void {
    for (const port of this.tabs.keys()) port.post(message)
  }
}
