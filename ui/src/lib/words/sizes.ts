/** Bytes, processors and shares in words: short, with three digits that tell, the same in all languages. */

const BINARY: Record<string, number> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50 }
const DECIMAL: Record<string, number> = { m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 }

/** The number of a Kubernetes quantity (`500m`, `64Mi`, `2`); undefined for what is none. */
export function parseQuantity(text: string | undefined | null): number | undefined {
  const found = /^(?<digits>\d+(?:\.\d+)?)(?<suffix>[KMGTP]i|[mkMGTP]?)$/.exec(text ?? "")?.groups
  if (!found) return undefined
  const factor = BINARY[found["suffix"] ?? ""] ?? DECIMAL[found["suffix"] ?? ""]
  return factor === undefined ? undefined : Number(found["digits"]) * factor
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]

/** "0 B", "512 B", "1.5 KiB", "340 MiB". */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  // What would round to 1024 of a unit is 1 of the next.
  while (Math.abs(value) >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit ? threeDigits(value) : String(Math.round(value))} ${UNITS[unit] ?? ""}`
}

function threeDigits(value: number): string {
  const size = Math.abs(value)
  const digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2
  return String(Number(value.toFixed(digits)))
}

/** Processors in use: "3m" (thousandths) below a tenth, "0.25", "1.5", "12". */
export function formatCpu(cores: number): string {
  if (cores < 0.1) return `${Math.round(cores * 1000)}m`
  return threeDigits(cores)
}

/** A share between 0 and 1: "0%", "<1%", "42%", "100%" only where it is all. */
export function formatPercent(share: number): string {
  if (!Number.isFinite(share)) return "–"
  const percent = share * 100
  if (percent > 0 && percent < 1) return "<1%"
  return `${percent > 99 && percent < 100 ? 99 : Math.round(percent)}%`
}

/** Bytes a second: "1.5 MiB/s". */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`
}
