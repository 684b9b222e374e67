import { describe, expect, it } from "vitest"
import en from "../../locales/en/words"
import zh from "../../locales/zh/words"
import { EVENTS, REASONS, REMEDIES } from "./codes"
import { CONDITION_TYPES } from "./events"
import { FAILURES } from "./classify"
import { FAULTS } from "./failures"
import { NODE_STATES } from "./nodes"
import { DETAILED } from "./reasons"
import { SEEN } from "./seen"
import { placeholders, speak } from "./speaking"
import { ASSIGNMENT_STATES, TASK_STATES } from "./verdicts"

function leaves(node: object, path = ""): [string, string][] {
  return Object.entries(node).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === "string") return [[path + name, value] as [string, string]]
    return typeof value === "object" && value !== null ? leaves(value, `${path}${name}.`) : []
  })
}

const english = new Map(leaves(en))
const chinese = new Map(leaves(zh))

describe("the words in both languages", () => {
  it("have the same keys and the same parameters", () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort())
    for (const [key, text] of english) {
      const ours = placeholders(text)
      const theirs = placeholders(chinese.get(key) ?? "")
      // A form for one may go without its number.
      expect([key, theirs]).toEqual([key, ours])
    }
  })

  it("keep to the house's typography", () => {
    for (const [key, text] of chinese) {
      expect(text, key).not.toMatch(/[\u4e00-\u9fff] ?[,;:!?()]|[\u4e00-\u9fff]\.(?![a-z])/)
      expect(text, key).not.toMatch(/[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]/)
      expect(text, key).not.toMatch(/[\u4e00-\u9fff]\{|\}[\u4e00-\u9fff]/)
    }
    for (const [key, text] of english) {
      if (key !== "join") expect(text, key).not.toMatch(/[\u4e00-\u9fff]|\s$|^\s| {2}/)
    }
  })

  it("say every sentence that is complete with a full stop", () => {
    const sentences = /^(reason|remedy|detail|exit|again|exitRemedy|event|failure|inUse|fault|serviceSays)\./
    for (const [key, text] of english) {
      if (sentences.test(key) && key !== "reason.other") expect(text, key).toMatch(/[.]$/)
    }
    for (const [key, text] of chinese) {
      if (sentences.test(key) && key !== "reason.other") expect(text, key).toMatch(/。$/)
    }
  })

  it("cover all codes, states and types", () => {
    const keys = [
      ...REASONS.map((code) => `reason.${code}`),
      ...REMEDIES.map((code) => `remedy.${code}`),
      ...EVENTS.map((code) => `event.${code}`),
      ...DETAILED.map((code) => `detail.${code}`),
      ...SEEN.map((name) => `seen.${name}`),
      ...FAULTS.map((code) => `fault.${code}`),
      ...FAILURES.filter((code) => code !== "inUse").map((code) => `failure.${code}`),
      ...Object.keys(ASSIGNMENT_STATES).map((name) => `state.${name}`),
      ...Object.keys(TASK_STATES).map((name) => `task.${name}`),
      ...Object.keys(NODE_STATES).map((name) => `node.${name}`),
      ...CONDITION_TYPES.flatMap((name) =>
        ["true", "false", "unknown"].map((how) => `condition.${name}.${how}`),
      ),
    ]
    expect(keys.filter((key) => !english.has(key))).toEqual([])
  })

  it("can be compiled", () => {
    for (const [key, text] of english) {
      const given = placeholders(text).map((name) => [name, name === "seen" ? "words.state.running" : 2])
      const params: Record<string, string | number> = Object.fromEntries(given)
      for (const language of ["en", "zh"] as const) {
        expect(speak({ key: `words.${key}`, params }, language), key).not.toMatch(/[{}|]/)
      }
    }
  })
})
