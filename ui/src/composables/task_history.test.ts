import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { change } from "@/lib/tasks/fixtures"
import { useTaskHistory } from "./task_history"

let versions: number[]
let answers: (() => void)[]

beforeEach(() => {
  versions = [1]
  answers = []
  vi.stubGlobal("fetch", () => {
    const items = versions.toReversed().map((version) => change([], { version: String(version) }))
    return new Promise((resolve) => answers.push(() => resolve(Response.json({ metadata: {}, items }))))
  })
})

afterEach(() => vi.unstubAllGlobals())

const settle = () => new Promise((resolve) => setTimeout(resolve))

async function answer(): Promise<void> {
  answers.shift()?.()
  await settle()
}

it("misses nothing that happens while a page is read", async () => {
  const { items, more, refresh } = useTaskHistory({ name: "web", namespace: "default" })
  void more(true)
  versions.push(2)
  void refresh()
  await answer()
  expect(items.value.map(({ version }) => version)).toEqual(["1"])
  await answer()
  expect(items.value.map(({ version }) => version)).toEqual(["2", "1"])
  expect(answers).toEqual([])
})
