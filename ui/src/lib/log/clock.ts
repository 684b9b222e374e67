/** The time of a line, short, in the reader's zone. */

const two = (part: number) => String(part).padStart(2, "0")

/** `15:04:05.123`; empty for what is no time. */
export function lineClock(time: string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return ""
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")
  return `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`
}
