/** The columns of a table, and which of them fit. */

export interface Column<T> {
  key: string
  label: string
  /** The least width in px that its content is readable in. */
  min: number
  /** How much of what is left over it takes; 0: it stays at `min`. */
  grow?: number
  /** Columns with a higher number go first when there is no room; 0 (the default) always stays. */
  drop?: number
  /** Where there is little room the first column has a line of its own, and the others share the one below. */
  leads?: boolean
  /** Its label is read out and not drawn: what is in it shows what it is. */
  isSpoken?: boolean
  align?: "left" | "right"
  /** What to sort by; without it the column cannot be sorted. Strings compare as people read them. */
  sort?: (row: T) => string | number
  /** The direction of the first click. */
  first?: "asc" | "desc"
}

export interface Sorting {
  key: string
  descending: boolean
}

/** The columns that fit into so many px: those that may go first are left out first. */
export function fitting<T>(columns: readonly Column<T>[], width: number): Column<T>[] {
  const shown = [...columns]
  let needed = shown.reduce((sum, column) => sum + column.min, 0)
  while (needed > width) {
    let last = -1
    for (const [index, column] of shown.entries()) {
      if ((column.drop ?? 0) > 0 && (last < 0 || (column.drop ?? 0) >= (shown[last]?.drop ?? 0))) last = index
    }
    const gone = shown[last]
    if (!gone) break
    needed -= gone.min
    shown.splice(last, 1)
  }
  return shown
}

/**
 * The value of `grid-template-columns` for them in so many px. Where even those that always stay do not fit, those that
 * grow share what the others leave.
 */
export function template<T>(columns: readonly Column<T>[], width: number): string {
  const isTight = columns.reduce((sum, { min }) => sum + min, 0) > width
  return columns
    .map(({ min, grow }) => {
      if (!grow) return `${min}px`
      return isTight ? `minmax(0, ${min}fr)` : `minmax(${min}px, ${grow}fr)`
    })
    .join(" ")
}

export interface Layout<T> {
  columns: Column<T>[]
  /** The value of `grid-template-columns`. */
  template: string
  /** Whether the first column is above the others. */
  isStacked: boolean
}

const STACKED_BELOW = 480

/** How the rows of a table are laid out in so many px. */
export function arranged<T>(columns: readonly Column<T>[], width: number): Layout<T> {
  const [first, ...others] = columns
  if (!first?.leads || width >= STACKED_BELOW) {
    const shown = fitting(columns, width)
    return { columns: shown, template: template(shown, width), isStacked: false }
  }
  const below = fitting(others, width)
  return { columns: [first, ...below], template: template(below, width), isStacked: true }
}

/** `name` ascending is `name`, descending `-name`: how addresses say it. */
export function readSorting(text: string): Sorting | undefined {
  if (!text) return undefined
  return text.startsWith("-") ? { key: text.slice(1), descending: true } : { key: text, descending: false }
}

export function writeSorting(sorting: Sorting): string {
  return sorting.descending ? `-${sorting.key}` : sorting.key
}

/** What a click on a column's head makes of the sorting. */
export function clicked<T>(column: Column<T>, sorting: Sorting | undefined): Sorting {
  if (sorting?.key === column.key) return { key: column.key, descending: !sorting.descending }
  return { key: column.key, descending: column.first === "desc" }
}

const words = new Intl.Collator(["en", "zh"], { numeric: true, sensitivity: "base" })

/** For sorting texts as people do: numbers in them by value. */
export function compareTexts(one: string, other: string): number {
  return words.compare(one, other)
}

/** The rows in their order; rows that are equal are in that of their keys, so that nothing jumps. */
export function sorted<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  sorting: Sorting | undefined,
  keyOf: (row: T) => string,
): T[] {
  const by = columns.find((column) => column.key === sorting?.key)?.sort
  const sign = sorting?.descending ? -1 : 1
  const decorated = rows.map((row) => ({ row, key: keyOf(row), value: by ? by(row) : "" }))
  decorated.sort((one, other) => sign * compare(one.value, other.value) || compareKeys(one.key, other.key))
  return decorated.map(({ row }) => row)
}

function compare(one: string | number, other: string | number): number {
  if (typeof one === "number" && typeof other === "number") return one - other
  return words.compare(String(one), String(other))
}

function compareKeys(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
