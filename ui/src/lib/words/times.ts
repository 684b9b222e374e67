/** Times in words. Pure: the time that it is now is passed in, in milliseconds. */

export type Locale = "en" | "zh"

const TAGS: Record<Locale, string> = { en: "en", zh: "zh-CN" }

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

type Unit = "second" | "minute" | "hour" | "day" | "month" | "year"

/** Each unit from where on it is used, and its length. */
const UNITS: readonly (readonly [Unit, number, number])[] = [
  ["year", 365 * DAY, 365 * DAY],
  ["month", 60 * DAY, 30 * DAY],
  ["day", 2 * DAY, DAY],
  ["hour", 2 * HOUR, HOUR],
  ["minute", 2 * MINUTE, MINUTE],
]

/** Clocks of browser and server differ a little: what is this little ahead is now. */
const SKEW = 5 * SECOND

const formats = new Map<string, Intl.RelativeTimeFormat>()

function relativeFormat(locale: Locale): Intl.RelativeTimeFormat {
  const known = formats.get(locale) ?? new Intl.RelativeTimeFormat(TAGS[locale], { numeric: "auto" })
  formats.set(locale, known)
  return known
}

/** Milliseconds of an RFC 3339 time; undefined for none and for what is no time. */
export function parseTime(when: string | null | undefined): number | undefined {
  const time = Date.parse(when ?? "")
  return Number.isNaN(time) ? undefined : time
}

/** "3 minutes ago", "in 5 seconds", "now"; empty for no time. */
export function relativeTime(when: string | null | undefined, now: number, locale: Locale): string {
  const time = parseTime(when)
  if (time === undefined) return ""
  const ahead = time - now
  const past = Math.abs(ahead)
  if (past < SKEW) return relativeFormat(locale).format(0, "second")
  const [unit, , length] = UNITS.find(([, from]) => past >= from) ?? ["second", 0, SECOND]
  const words = relativeFormat(locale).format(Math.sign(ahead) * Math.floor(past / length), unit)
  // Between a number and Chinese stands a space, as everywhere else.
  return words.replace(/(\d)(?=[\u4e00-\u9fff])/g, "$1 ")
}

const SHORT: Record<Locale, Record<"s" | "m" | "h" | "d" | "y", string>> = {
  en: { s: "s", m: "m", h: "h", d: "d", y: "y" },
  zh: { s: " 秒", m: " 分", h: " 小时", d: " 天", y: " 年" },
}

/** How long ago, for a narrow column: "45s", "3m", "2h", "12d", "3y". */
export function shortAge(when: string | null | undefined, now: number, locale: Locale): string {
  const time = parseTime(when)
  return time === undefined ? "" : shortDuration(Math.max(0, now - time), locale)
}

/** A length of time in one unit: "45s", "3m", "2h", "12d". */
export function shortDuration(ms: number, locale: Locale): string {
  const [length, unit] = shortUnit(ms)
  return `${Math.floor(ms / length)}${SHORT[locale][unit]}`
}

function shortUnit(ms: number): [number, "s" | "m" | "h" | "d" | "y"] {
  if (ms < 2 * MINUTE) return [SECOND, "s"]
  if (ms < 2 * HOUR) return [MINUTE, "m"]
  if (ms < 2 * DAY) return [HOUR, "h"]
  return ms < 730 * DAY ? [DAY, "d"] : [365 * DAY, "y"]
}

const PAIRS: readonly (readonly [number, "d" | "h" | "m" | "s", number, "h" | "m" | "s" | undefined])[] = [
  [DAY, "d", HOUR, "h"],
  [HOUR, "h", MINUTE, "m"],
  [MINUTE, "m", SECOND, "s"],
  [SECOND, "s", 1, undefined],
]

/** A length of time in its two largest units: "2h 5m", "3d 4h", "12s"; under a second in milliseconds. */
export function duration(ms: number, locale: Locale): string {
  if (ms < SECOND) return locale === "zh" ? `${Math.round(ms)} 毫秒` : `${Math.round(ms)}ms`
  const [length, unit, next, nextUnit] = PAIRS.find(([from]) => ms >= from) ?? [SECOND, "s", 1, undefined]
  const rest = nextUnit ? Math.floor((ms % length) / next) : 0
  const first = `${Math.floor(ms / length)}${SHORT[locale][unit]}`
  return nextUnit && rest ? `${first} ${`${rest}${SHORT[locale][nextUnit]}`.trim()}` : first
}

/** The exact time with its zone: "2026-11-26 15:04:05 UTC+8". `zone` is for tests; else the browser's. */
export function exactTime(when: string | null | undefined, zone?: string): string {
  const time = parseTime(when)
  if (time === undefined) return ""
  const parts = dateFormat(zone).formatToParts(time)
  return `${dateOf(parts)} ${clockOf(parts)} ${zoneOf(parts)}`
}

/** The time of day: "15:04:05". */
export function clockTime(when: string | null | undefined, zone?: string): string {
  const time = parseTime(when)
  if (time === undefined) return ""
  return clockOf(dateFormat(zone).formatToParts(time))
}

const dateFormats = new Map<string | undefined, Intl.DateTimeFormat>()

/** To make one takes longer than to use it a hundred times. */
function dateFormat(zone: string | undefined): Intl.DateTimeFormat {
  // en-CA writes dates as ISO 8601 does, which no reader mistakes.
  const known = dateFormats.get(zone) ?? new Intl.DateTimeFormat("en-CA", { ...DATE, timeZone: zone })
  dateFormats.set(zone, known)
  return known
}

const DATE: Intl.DateTimeFormatOptions = {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
  timeZoneName: "shortOffset",
}

type Parts = readonly Intl.DateTimeFormatPart[]

const part = (parts: Parts, type: string): string => parts.find((one) => one.type === type)?.value ?? ""
/** `UTC+8`: the name that means the same everywhere. */
const zoneOf = (parts: Parts): string =>
  part(parts, "timeZoneName").replace(/^GMT/, "UTC").replace(/\+0$/, "")
const dateOf = (parts: Parts): string =>
  `${part(parts, "year")}-${part(parts, "month")}-${part(parts, "day")}`
const clockOf = (parts: Parts): string =>
  `${part(parts, "hour")}:${part(parts, "minute")}:${part(parts, "second")}`
