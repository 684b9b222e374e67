/** How fast bytes go, as a mean over the last seconds. Pure. */

export interface Sample {
  at: number
  sent: number
}

const WINDOW_MS = 5000

/** The samples with a new one; those that are too old for the mean are left out. */
export function sampled(samples: readonly Sample[], sample: Sample): Sample[] {
  const kept = samples.filter(({ at }) => at >= sample.at - WINDOW_MS)
  const older = samples.length > kept.length ? samples[samples.length - kept.length - 1] : undefined
  return [...(older ? [older] : []), ...kept, sample]
}

/** Bytes a second; undefined until two moments are known. */
export function speed(samples: readonly Sample[]): number | undefined {
  const [first] = samples
  const last = samples.at(-1)
  if (!first || !last || last.at <= first.at) return undefined
  return ((last.sent - first.sent) * 1000) / (last.at - first.at)
}

/** Milliseconds until all is sent, at that speed. */
export function remaining(
  total: number,
  sent: number,
  bytesPerSecond: number | undefined,
): number | undefined {
  return bytesPerSecond ? ((total - sent) * 1000) / bytesPerSecond : undefined
}
