import { describe, expect, it } from "vitest"
import { ago, NOW } from "./fixtures"
import { clockTime, duration, exactTime, relativeTime, shortAge, shortDuration } from "./times"

const MINUTE = 60
const HOUR = 3600
const DAY = 86_400

describe("a time in words", () => {
  it.each([
    [2, "now", "现在"],
    [-3, "now", "现在"],
    [45, "45 seconds ago", "45 秒钟前"],
    [-45, "in 45 seconds", "45 秒钟后"],
    [3 * MINUTE, "3 minutes ago", "3 分钟前"],
    [119 * MINUTE, "119 minutes ago", "119 分钟前"],
    [26 * HOUR, "26 hours ago", "26 小时前"],
    [3 * DAY, "3 days ago", "3 天前"],
    [100 * DAY, "3 months ago", "3 个月前"],
    [800 * DAY, "2 years ago", "2 年前"],
  ])("%i seconds ago", (seconds, english, chinese) => {
    expect(relativeTime(ago(seconds), NOW, "en")).toBe(english)
    expect(relativeTime(ago(seconds), NOW, "zh")).toBe(chinese)
  })

  it.each([
    [-4, "0s", "0 秒"],
    [45, "45s", "45 秒"],
    [119, "119s", "119 秒"],
    [3 * MINUTE, "3m", "3 分"],
    [5 * HOUR, "5h", "5 小时"],
    [12 * DAY, "12d", "12 天"],
    [800 * DAY, "2y", "2 年"],
  ])("%i seconds ago, short", (seconds, english, chinese) => {
    expect(shortAge(ago(seconds), NOW, "en")).toBe(english)
    expect(shortAge(ago(seconds), NOW, "zh")).toBe(chinese)
  })

  it("is nothing where there is none", () => {
    for (const when of [undefined, null, "", "soon"]) {
      expect([
        relativeTime(when, NOW, "en"),
        shortAge(when, NOW, "en"),
        exactTime(when),
        clockTime(when),
      ]).toEqual(["", "", "", ""])
    }
  })

  it("is exact with its zone", () => {
    expect(exactTime("2026-11-26T07:04:05.678Z", "Asia/Shanghai")).toBe("2026-11-26 15:04:05 UTC+8")
    expect(exactTime("2026-11-26T00:00:00Z", "UTC")).toBe("2026-11-26 00:00:00 UTC")
    expect(clockTime("2026-11-26T00:00:00Z", "Asia/Shanghai")).toBe("08:00:00")
  })
})

describe("a length of time", () => {
  it.each([
    [320, "320ms", "320 毫秒"],
    [12_000, "12s", "12 秒"],
    [125_000, "2m 5s", "2 分 5 秒"],
    [7_200_000, "2h", "2 小时"],
    [7_500_000, "2h 5m", "2 小时 5 分"],
    [(3 * DAY + 4 * HOUR) * 1000, "3d 4h", "3 天 4 小时"],
  ])("%i ms", (ms, english, chinese) => {
    expect(duration(ms, "en")).toBe(english)
    expect(duration(ms, "zh")).toBe(chinese)
  })

  it("is one unit where there is little room", () => {
    expect(shortDuration(90 * 1000, "en")).toBe("90s")
    expect(shortDuration(90 * MINUTE * 1000, "en")).toBe("90m")
  })
})
