import { expect, it } from "vitest"
import { idOf, newTaskPage, pageOf, referenceOf } from "./addresses"

it("names objects of the default namespace by their name alone", () => {
  for (const [name, namespace] of [
    ["web", "default"],
    ["web", "staging"],
  ] as const) {
    expect(referenceOf(idOf(name, namespace))).toEqual({ name, namespace })
  }
  expect(pageOf("Task", "web")).toBe("/tasks/web")
  expect(pageOf("Pod", "web-main-abc", "staging")).toBe("/assignments/staging.web-main-abc")
})

it("leads nowhere but to a page of its own, whatever a name holds", () => {
  for (const kind of ["Task", "Node", "Service"] as const) {
    const page = new URL(pageOf(kind, "//evil.example/?x#y"), "https://plum.example/")
    expect([page.host, page.pathname.split("/").length]).toEqual(["plum.example", 3])
  }
  expect(pageOf("Lease" as string, "n1")).toBeUndefined()
})

it("names the namespace of a new task only where it matters", () => {
  expect(newTaskPage("shop", "1", "default").query).toEqual({ app: "shop", version: "1" })
  expect(newTaskPage("shop", "1", "staging").query).toMatchObject({ namespace: "staging" })
})
