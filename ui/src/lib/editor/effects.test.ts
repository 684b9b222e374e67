import { describe, expect, it } from "vitest"
import type { App, Entry, Task } from "@/lib/api/types"
import { effectsOf } from "./effects"

function entry(more: Partial<Entry> = {}): Entry {
  return {
    name: "main",
    app: { name: "shop", version: "1" },
    replicas: 2,
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 5,
    stopSignal: "TERM",
    ...more,
  }
}

function task(entries: Entry[], more: Partial<Task["spec"]> = {}): Task {
  return {
    apiVersion: "plum.dev/v1",
    kind: "Task",
    metadata: { name: "shop", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" },
    spec: { state: "Running", entries, strategy: { maxUnavailable: 1, maxSurge: 0 }, ...more },
  }
}

const keys = (before: Task, after: Task, apps: App[] = []) =>
  effectsOf(before, after, apps).map(({ key }) => key)

describe("what saving does", () => {
  it("is nothing where nothing changed", () => {
    expect(keys(task([entry()]), task([entry()]))).toEqual([])
  })

  it("only scales when only the count is another", () => {
    expect(effectsOf(task([entry()]), task([entry({ replicas: 5 })]), [])).toMatchObject([
      { key: "moreOnly", params: { from: 2, to: 5, count: 3 } },
    ])
  })

  it("restarts what stays when the template is another, and says how", () => {
    const effects = effectsOf(task([entry()]), task([entry({ startCmd: "./x", replicas: 5 })]), [])
    expect(effects.map(({ key }) => key)).toEqual(["rolls", "more"])
    expect(effects[0]?.params).toMatchObject({ count: 2, fields: "startCmd", unavailable: 1 })
  })

  it("moves copies from the scheduler's hands to nodes", () => {
    const placed = entry({ nodeReplicas: { nodeA: 2 } })
    delete placed.replicas
    expect(keys(task([entry()]), task([placed]))).toEqual(["fewerAnywhere", "moreNode"])
  })

  it("relabels without a restart", () => {
    expect(keys(task([entry()]), task([entry({ labels: { a: "b" } })]))).toEqual(["entryLabels"])
  })

  it("takes another name for another entry", () => {
    expect(keys(task([entry()]), task([entry({ name: "web" })]))).toEqual(["removed", "added"])
  })

  it("stops and starts", () => {
    expect(keys(task([entry()]), task([entry()], { state: "Stopped" }))).toEqual(["stops"])
    expect(keys(task([entry()], { state: "Stopped" }), task([entry()]))).toEqual(["starts"])
  })

  it("knows that a newer upload of the version comes in", () => {
    const before = task([entry()])
    before.status = {
      observedGeneration: 1,
      replicas: 2,
      readyReplicas: 2,
      updatedReplicas: 2,
      selector: "",
      entries: [{ name: "main", desired: 2, running: 2, ready: 2, sha256: "old", artifactUrl: "" }],
    }
    const app: App = {
      apiVersion: "plum.dev/v1",
      kind: "App",
      metadata: { name: "x", namespace: "default", uid: "", resourceVersion: "", creationTimestamp: "2026" },
      spec: { name: "shop", version: "1", sha256: "new", sizeBytes: 1 },
    }
    expect(
      keys(before, { ...before, spec: { ...before.spec, entries: [entry({ replicas: 3 })] } }, [app]),
    ).toEqual(["newUpload", "more"])
    expect(keys(before, before, [app])).toEqual([])
  })
})
