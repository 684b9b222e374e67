import { expect, it } from "vitest"
import { reasonWords } from "./reasons"
import { said, speak } from "./speaking"

const probe = (seen: string) => said(reasonWords("ProbeFailed", `readiness: ${seen}`))

it.each([
  ["GET http://127.0.0.1:80/ready: answered 503", "http://127.0.0.1:80/ready answered 503."],
  ["connect to 127.0.0.1:80: connection refused", "127.0.0.1:80 refused the connection."],
  ["GET http://[::1]:80/: no answer within 1 s", "http://[::1]:80/ did not answer within 1 s."],
  ["exec ./check.sh a: exited with code 2", "the command ./check.sh a ended with code 2."],
  [
    "exec ./check.sh: exited with code 2: no: luck",
    "the command ./check.sh ended with code 2 and said: no: luck.",
  ],
  ["exec ./check.sh: did not end within 1 s: why", "the command ./check.sh did not end within 1 s."],
  ["TLS: {something} @:else | more.", "TLS: {something} @:else | more."],
])("a probe saw %s", (seen, words) => {
  expect(probe(seen)).toBe(`It runs, but its readiness probe fails: ${words}`)
})

it("is said in Chinese all through", () => {
  const words = reasonWords("ProbeFailed", "readiness: GET http://127.0.0.1:80/ready: answered 503")
  expect(speak(words, "zh")).toBe("正在运行，但 readiness 探针失败：http://127.0.0.1:80/ready 返回 503。")
})

it("is not told before there is anything to see", () => {
  expect(said(reasonWords("ProbePending", "readiness: nobody has asked yet"))).toBe(
    "It runs, and its probe has not passed yet.",
  )
})

it("an archive is called by its file", () => {
  const answered = "http://h:80/artifacts/a_1_0badcafe.zip?x: the server answered 404 Not Found; push the app"
  expect(said(reasonWords("ArtifactNotFound", answered))).toBe(
    "The app's archive a_1_0badcafe.zip is not there: its server answered 404.",
  )
  const blob = `http://h:80/artifacts/sha256/${"0123456789abcdef".repeat(4)}: the server answered 404 Not Found`
  expect(said(reasonWords("ArtifactNotFound", blob))).toContain("archive 0123456789ab is")
})
