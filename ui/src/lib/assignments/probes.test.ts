import { describe, expect, it } from "vitest"
import { probesOf } from "./probes"

const numbers = {
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
}

describe("probesOf", () => {
  it("says what each asks, in the order in which they count", () => {
    const found = probesOf({
      liveness: { ...numbers, exec: { command: ["./check", "--quick"] } },
      startup: { ...numbers, tcpSocket: { port: "http", host: "" } },
      readiness: {
        ...numbers,
        periodSeconds: 5,
        httpGet: { port: "http", path: "/ready", scheme: "http", host: "" },
      },
    })
    expect(found).toEqual([
      { kind: "startup", asks: "TCP 127.0.0.1:http", seconds: 10 },
      { kind: "readiness", asks: "GET http://127.0.0.1:http/ready", seconds: 5 },
      { kind: "liveness", asks: "./check --quick", seconds: 10 },
    ])
    expect(probesOf(undefined)).toEqual([])
  })
})
