import { expect, it } from "vitest"
import type { App } from "@/lib/api/types"
import { appChoices, newestUpload } from "./apps"

function app(version: string, uid: string, when: string): App {
  return {
    apiVersion: "plum.dev/v1",
    kind: "App",
    metadata: {
      name: `shop-${uid}`,
      namespace: "default",
      uid,
      resourceVersion: "1",
      creationTimestamp: `2026-01-01T00:00:${when}Z`,
    },
    spec: { name: "shop", version, sha256: uid.repeat(64), sizeBytes: 10 },
  }
}

it("means the later of two uploads, also of those of one second", () => {
  const uploads = [app("1", "a", "05"), app("1", "c", "07"), app("1", "b", "07"), app("2", "d", "06")]
  for (const order of [uploads, uploads.toReversed()]) {
    expect(newestUpload(order, "shop", "1", "default")?.metadata.uid).toBe("c")
    const [choice] = appChoices(order, "default")
    expect(choice?.versions.map(({ spec }) => spec.version)).toEqual(["1", "2"])
  }
})
