import { expect, it } from "vitest"
import { formatBytes, formatCpu, formatPercent, formatRate, parseQuantity } from "./sizes"

it.each([
  [0, "0 B"],
  [512, "512 B"],
  [1024, "1 KiB"],
  [1536, "1.5 KiB"],
  [1_048_575, "1 MiB"],
  [356_515_840, "340 MiB"],
  [1_288_490_189, "1.2 GiB"],
  [5 * 2 ** 50, "5 PiB"],
])("%i bytes", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

it.each([
  [0, "0m"],
  [0.0032, "3m"],
  [0.25, "0.25"],
  [1.5, "1.5"],
  [12.34, "12.3"],
])("%d processors", (cores, text) => {
  expect(formatCpu(cores)).toBe(text)
})

it.each([
  [0, "0%"],
  [0.004, "<1%"],
  [0.42, "42%"],
  [0.996, "99%"],
  [1, "100%"],
  [1.2, "120%"],
  [Number.NaN, "–"],
])("a share of %d", (share, text) => {
  expect(formatPercent(share)).toBe(text)
})

it("quantities are numbers", () => {
  expect(["2", "500m", "64Mi", "16G", "1.5Gi"].map(parseQuantity)).toEqual([
    2, 0.5, 67_108_864, 16e9, 1_610_612_736,
  ])
  expect(["", "x", "5 Mi", undefined, null].map(parseQuantity)).toEqual(Array(5).fill(undefined))
  expect(formatRate(1536)).toBe("1.5 KiB/s")
})
