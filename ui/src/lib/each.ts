/** So many at a time: browsers open six connections to an origin, and others want to get through as well. */
const AT_ONCE = 4
/** Fewer are done before anybody has read how far it is. */
const WORTH_TELLING = 20

/** What takes many requests tells how far it is, and ends early when it is asked to. */
export interface Course {
  tell: (done: number, all: number) => void
  signal: AbortSignal
}

export interface Outcome<T> {
  failures: { item: T; error: unknown }[]
  /** How many were tried: all, unless it was ended early. */
  tried: number
}

/** Do the work with each of them; resolves to what failed, when all have been tried. */
export async function each<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
  course?: Course,
): Promise<Outcome<T>> {
  const failures: Outcome<T>["failures"] = []
  let tried = 0
  const left = items.values()
  const worker = async (): Promise<void> => {
    while (!course?.signal.aborted) {
      const next = left.next()
      if (next.done) return
      const item = next.value
      await work(item).catch((error: unknown) => failures.push({ item, error }))
      tried += 1
      if (items.length > WORTH_TELLING) course?.tell(tried, items.length)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return { failures, tried }
}
