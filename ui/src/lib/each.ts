/** So many at a time: browsers open six connections to an origin, and others want to get through as well. */
const AT_ONCE = 4

export interface Failed<T> {
  item: T
  error: unknown
}

/** Do the work with each of them; resolves to what failed, when all have been tried. */
export async function each<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<Failed<T>[]> {
  const failures: Failed<T>[] = []
  const left = items.values()
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item).catch((error: unknown) => failures.push({ item, error }))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return failures
}
