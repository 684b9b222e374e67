/**
 * Keys for the rows of a list whose items have none that lasts: names change while they are typed. They move with their
 * rows, so that what a row remembers, such as being folded, moves too. Pure.
 */

let last = 0

/** A key for each of so many rows; those that there are stay. */
export function fitted(keys: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, at) => keys[at] ?? (last += 1))
}

export function inserted(keys: readonly number[], at: number): number[] {
  return keys.toSpliced(at, 0, (last += 1))
}

export function removed(keys: readonly number[], at: number): number[] {
  return keys.toSpliced(at, 1)
}

export function moved(keys: readonly number[], from: number, to: number): number[] {
  return removed(keys, from).toSpliced(to, 0, ...keys.slice(from, from + 1))
}
