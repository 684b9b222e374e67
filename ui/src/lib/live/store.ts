/**
 * What this tab knows, kept true by the keeper. Pages ask for it with the composables (`useList`, `useObject`):
 * a kind is followed as long as a component that uses it is shown.
 */

import { computed, readonly, ref, shallowReactive, shallowRef, watch, type ShallowRef } from "vue"
import type { Plural } from "../api/kinds"
import { adopt, doubts, token } from "../api/session"
import type { Status } from "../api/types"
import { applyEvents, collectionOf, keyOf, type ApiObject, type Collection } from "./collection"
import { ahead } from "./clock"
import { PING_MS } from "./keeper"
import { connect, type Link } from "./link"
import type { Connection, ToTab } from "./messages"

export interface Kept {
  /** What there is; empty until `loaded`. */
  objects: Collection
  loaded: boolean
  /** Whether there are more than are kept. */
  truncated: boolean
  refused?: Status | undefined
}

const NOTHING: Kept = { objects: new Map(), loaded: false, truncated: false }

const kept = new Map<Plural, ShallowRef<Kept>>()
const users = shallowReactive(new Map<Plural, number>())
const connectionRef = ref<Connection>({ state: "connecting" })
let link: Link | undefined
/** The token that the keeper said last: what it knows it need not be told. */
let told: string | undefined

/** How the connection stands. */
export const connection = readonly(connectionRef)

/** What is known of a kind; it changes as a whole. */
export function keptOf(kind: Plural): ShallowRef<Kept> {
  let found = kept.get(kind)
  if (!found) kept.set(kind, (found = shallowRef(NOTHING)))
  return found
}

/** Follow a kind until `release` is called with it. */
export function follow(kind: Plural): void {
  users.set(kind, (users.get(kind) ?? 0) + 1)
}

export function release(kind: Plural): void {
  const left = (users.get(kind) ?? 1) - 1
  if (left > 0) users.set(kind, left)
  else users.delete(kind)
}

/** Begin; called once, by the application. */
export function startLive(): void {
  link = connect(hear, introduce)
  const wanted = computed(() => [...users.keys()].sort().join())
  watch(token, (text) => {
    if (text !== told) link?.send(text ? { type: "signIn", token: text } : { type: "signOut" })
  })
  watch(doubts, () => link?.send({ type: "doubt" }))
  // In the next tick: a page that is left and one that is entered are one change.
  watch(wanted, () => link?.send({ type: "want", kinds: [...users.keys()] }), { flush: "post" })
  introduce()
  setInterval(() => link?.send({ type: "ping" }), PING_MS)
  const hurry = () => document.hidden || link?.send({ type: "hurry" })
  window.addEventListener("online", hurry)
  document.addEventListener("visibilitychange", hurry)
  window.addEventListener("pagehide", () => link?.send({ type: "bye" }))
  window.addEventListener("pageshow", (event) => event.persisted && introduce())
}

function hear(message: ToTab): void {
  switch (message.type) {
    case "connection":
      connectionRef.value = message.connection
      break
    case "snapshot":
      keptOf(message.kind).value = merged(message.kind, message.objects, message.truncated)
      break
    case "events": {
      const found = keptOf(message.kind)
      const objects = applyEvents(found.value.objects, message.events)
      if (objects !== found.value.objects) found.value = { ...found.value, objects }
      break
    }
    case "refused":
      keptOf(message.kind).value = { ...NOTHING, loaded: true, refused: message.status as Status }
      break
    case "token":
      told = message.token
      adopt(message.token)
      break
    case "clock":
      ahead.value = message.ahead
      break
    case "forgotten":
      introduce()
  }
}

/** Who this tab asks as, and what it wants. */
function introduce(): void {
  link?.send({ type: "hello", token: token.value })
  link?.send({ type: "want", kinds: [...users.keys()] })
}

/** A new list in the place of the old one; what did not change stays the same object. */
function merged(kind: Plural, objects: ApiObject[], truncated: boolean): Kept {
  const before = keptOf(kind).value.objects
  const same = objects.map((object) => {
    const known = before.get(keyOf(object))
    return known && isSame(known.metadata, object.metadata) ? known : object
  })
  return { objects: collectionOf(same), loaded: true, truncated }
}

type Metadata = ApiObject["metadata"]

/** Versions are those of one database: the same one of another object means nothing. */
function isSame(one: Metadata, other: Metadata): boolean {
  return one.uid === other.uid && one.resourceVersion === other.resourceVersion
}
