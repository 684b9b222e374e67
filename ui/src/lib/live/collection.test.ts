import { describe, expect, it } from "vitest"
import { applyEvent, applyEvents, collectionOf, keyOf, type ApiObject, type WatchEvent } from "./collection"

function object(name: string, version: number, namespace = "default"): ApiObject {
  return { metadata: { name, namespace, uid: `u-${name}`, resourceVersion: String(version) } }
}

const added = (name: string, version: number): WatchEvent => ({
  type: "ADDED",
  object: object(name, version),
})
const changed = (name: string, version: number): WatchEvent => ({
  type: "MODIFIED",
  object: object(name, version),
})
const deleted = (name: string, version: number): WatchEvent => ({
  type: "DELETED",
  object: object(name, version),
})

describe("applyEvent", () => {
  it("adds, changes and removes without touching what was", () => {
    const before = collectionOf([object("a", 1)])
    const after = applyEvents(before, [added("b", 2), changed("a", 3)])
    expect([...after.values()].map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)).toEqual(
      ["a@3", "b@2"],
    )
    expect(before.size).toBe(1)
    expect([...applyEvent(after, deleted("a", 4)).keys()]).toEqual(["default/b"])
  })

  it("makes no new collection when nothing changes", () => {
    const before = collectionOf([object("a", 5)])
    expect(applyEvent(before, changed("a", 5))).toBe(before)
    expect(applyEvent(before, changed("a", 4))).toBe(before)
    expect(applyEvent(before, deleted("b", 9))).toBe(before)
  })

  it("keeps what did not change the same object", () => {
    const a = object("a", 1)
    const after = applyEvent(collectionOf([a]), added("b", 2))
    expect(after.get("default/a")).toBe(a)
  })

  it("takes a repeated part of a stream as nothing new, in any number of repetitions", () => {
    const stream = [
      added("a", 1),
      added("b", 2),
      changed("a", 3),
      deleted("b", 4),
      added("b", 5),
      changed("b", 6),
    ]
    const whole = applyEvents(new Map(), stream)
    for (let from = 0; from < stream.length; from += 1) {
      // A resumed stream repeats from somewhere on, to its end.
      expect(applyEvents(whole, stream.slice(from))).toEqual(whole)
    }
  })

  it("does not bring back what a later deletion removed, however a stream is cut and resumed", () => {
    // Pseudo-random streams over a few names; the last event of a name decides.
    let seed = 7
    const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below
    for (let round = 0; round < 200; round += 1) {
      const living = new Set<string>()
      const stream: WatchEvent[] = []
      for (let version = 1; version <= 30; version += 1) {
        const name = "abcd"[random(4)] ?? "a"
        if (!living.has(name)) stream.push(added(name, version))
        else stream.push(random(3) ? changed(name, version) : deleted(name, version))
        if (stream.at(-1)?.type === "DELETED") living.delete(name)
        else living.add(name)
      }
      const cut = random(stream.length)
      const resumed = applyEvents(
        applyEvents(new Map(), stream.slice(0, cut)),
        stream.slice(Math.max(0, cut - 5)),
      )
      expect(new Set([...resumed.values()].map(({ metadata }) => metadata.name))).toEqual(living)
    }
  })

  it("names objects of one name in two namespaces apart", () => {
    expect(keyOf(object("a", 1, "x"))).not.toBe(keyOf(object("a", 1, "y")))
  })
})
