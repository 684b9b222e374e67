import { describe, expect, it } from "vitest"
import { curl, discoveryPath, endpointsCommand, hostPort, resolvePath } from "./requests"

const question = {
  service: "shop",
  namespace: "default",
  strategy: "random",
  hashKey: "",
  version: "",
  protocol: "",
} as const

describe("resolvePath", () => {
  it("leaves out what says nothing", () => {
    expect(resolvePath(question)).toBe("/v1/resolve?service=shop")
    expect(resolvePath({ ...question, hashKey: "left over" })).toBe("/v1/resolve?service=shop")
  })

  it("says all the rest", () => {
    expect(
      resolvePath({
        service: "Order Service",
        namespace: "staging",
        strategy: "hash",
        hashKey: "ann & bob",
        version: "1.0",
        protocol: "grpc",
      }),
    ).toBe(
      "/v1/resolve?service=Order+Service&namespace=staging&strategy=hash&hashKey=ann+%26+bob&version=1.0&protocol=grpc",
    )
  })
})

it("lists", () => {
  expect(discoveryPath("shop", "default")).toBe("/v1/discovery?service=shop")
  expect(discoveryPath("shop", "qa")).toBe("/v1/discovery?service=shop&namespace=qa")
})

it("escapes values of field selectors", () => {
  expect(endpointsCommand("shop", "default")).toBe("plumctl get endpoints --field-selector spec.service=shop")
  expect(endpointsCommand("a=b,c", "qa")).toBe(
    `plumctl get endpoints -n qa --field-selector 'spec.service=a\\=b\\,c'`,
  )
})

it("puts IPv6 into brackets", () => {
  expect(hostPort("10.0.0.1", 80)).toBe("10.0.0.1:80")
  expect(hostPort("::1", 80)).toBe("[::1]:80")
})

it("asks on the command line, with a token where one is needed", () => {
  expect(curl("http://h:1/a?b=c", false)).toBe("curl -s 'http://h:1/a?b=c'")
  expect(curl("http://h:1/a", true)).toBe('curl -s -H "Authorization: Bearer $PLUM_TOKEN" http://h:1/a')
})
