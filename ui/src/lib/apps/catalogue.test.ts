import { describe, expect, it } from "vitest"
import type { App, Assignment, Task } from "@/lib/api/types"
import { catalogue } from "./catalogue"

const digest = (letter: string): string => letter.repeat(64)

function app(version: string, letter: string, when: string, namespace = "default"): App {
  return {
    apiVersion: "plum.dev/v1",
    kind: "App",
    metadata: {
      name: `shop-${version}-${letter.repeat(8)}`,
      namespace,
      uid: letter,
      resourceVersion: "1",
      creationTimestamp: when,
    },
    spec: { name: "shop", version, sha256: digest(letter), sizeBytes: 10 },
  }
}

function task(name: string, entry: Partial<Task["spec"]["entries"][number]>, namespace = "default"): Task {
  return { metadata: { name, namespace }, spec: { entries: [{ name: "web", ...entry }] } } as Task
}

function copy(letter: string, version: string, namespace = "default"): Assignment {
  return {
    metadata: { name: `c-${letter}-${version}`, namespace },
    spec: { template: { sha256: digest(letter), appName: version && "shop", appVersion: version } },
  } as Assignment
}

describe("catalogue", () => {
  it("groups versions, the newest upload first", () => {
    const [row] = catalogue(
      [
        app("1", "a", "2026-01-01T00:00:00Z"),
        app("2", "b", "2026-01-03T00:00:00Z"),
        app("1", "c", "2026-01-02T00:00:00Z"),
      ],
      [],
      [],
    )
    expect(row?.versions.map(({ version, isCurrent }) => [version, isCurrent])).toEqual([
      ["2", true],
      ["1", true],
      ["1", false],
    ])
    expect(row?.versionCount).toBe(2)
  })

  it("finds tasks by name and version in the same namespace, and by digest in all", () => {
    const [row] = catalogue(
      [app("1", "a", "2026-01-01T00:00:00Z")],
      [
        task("named", { app: { name: "shop", version: "1" } }),
        task("other-version", { app: { name: "shop", version: "2" } }),
        task("elsewhere", { app: { name: "shop", version: "1" } }, "staging"),
        task("pinned", { artifactUrl: "/artifacts/x.zip", sha256: digest("a") }, "staging"),
        task("by-address", { artifactUrl: `/artifacts/sha256/${digest("a")}` }),
      ],
      [],
    )
    expect(row?.newest.tasks.map(({ task: name }) => name)).toEqual(["named", "pinned", "by-address"])
    expect(row?.tasks.size).toBe(3)
  })

  it("counts the instances that run the archive, each for the upload that it names", () => {
    const rows = catalogue(
      [app("1", "a", "2026-01-01T00:00:00Z"), app("2", "a", "2026-01-02T00:00:00Z")],
      [],
      [copy("a", "1"), copy("a", "2"), copy("a", "2"), copy("a", "1", "staging"), copy("b", "1")],
    )
    expect(rows[0]?.versions.map(({ instances }) => instances.length)).toEqual([2, 1])
    expect(rows[0]?.instanceCount).toBe(3)
  })
})
