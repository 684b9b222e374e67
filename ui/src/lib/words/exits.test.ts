import { expect, it } from "vitest"
import { exitWords, signalName, signalNumber } from "./exits"
import { said } from "./speaking"

it.each([
  [1, null, "It ended with code 1."],
  [126, null, "It ended with code 126: the start command is there but cannot be executed."],
  [127, null, "It ended with code 127: the start command was not found."],
  [134, null, "It aborted itself (SIGABRT, code 134)."],
  [137, null, "It was killed (SIGKILL, code 137)."],
  [null, 9, "It was killed (SIGKILL, code 137)."],
  [null, 11, "It crashed on a bad memory access (SIGSEGV, code 139)."],
  [143, null, "It was asked to end from outside (SIGTERM, code 143)."],
  [null, 1, "It was ended by SIGHUP (code 129)."],
  [200, null, "It ended with code 200."],
  [undefined, undefined, "It ended, and nobody knows how."],
])("code %s and signal %s", (code, signal, says) => {
  expect(said(exitWords(code, signal))).toBe(says)
})

it("signals have names, or stay numbers", () => {
  expect([signalName(15), signalName(40), signalNumber("QUIT"), signalNumber("NONE")]).toEqual([
    "SIGTERM",
    "40",
    3,
    undefined,
  ])
})
