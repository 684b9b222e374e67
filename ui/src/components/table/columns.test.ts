import { describe, expect, it } from "vitest"
import {
  arranged,
  clicked,
  fitting,
  readSorting,
  sorted,
  template,
  writeSorting,
  type Column,
} from "./columns"

const column = (key: string, min: number, more: Partial<Column<string>> = {}): Column<string> => ({
  key,
  label: key,
  min,
  ...more,
})
const keys = (columns: readonly Column<string>[]) => columns.map(({ key }) => key)

describe("the columns that fit", () => {
  const columns = [
    column("name", 200, { grow: 2 }),
    column("state", 100),
    column("node", 100, { drop: 1 }),
    column("age", 60, { drop: 2 }),
  ]

  it("are all of them where there is room", () => {
    expect(keys(fitting(columns, 460))).toEqual(["name", "state", "node", "age"])
  })

  it("lack the least needed first, and never those that always stay", () => {
    expect(keys(fitting(columns, 459))).toEqual(["name", "state", "node"])
    expect(keys(fitting(columns, 300))).toEqual(["name", "state"])
    expect(keys(fitting(columns, 1))).toEqual(["name", "state"])
  })

  it("grow into what is left over", () => {
    expect(template(fitting(columns, 320), 320)).toBe("minmax(200px, 2fr) 100px")
  })

  it("share what there is where even the least is too much", () => {
    expect(template(fitting(columns, 250), 250)).toBe("minmax(0, 200fr) 100px")
  })
})

describe("the layout of rows", () => {
  const columns = [
    column("name", 200, { grow: 2, leads: true }),
    column("state", 100),
    column("node", 100, { drop: 1, grow: 1 }),
    column("age", 60, { drop: 2 }),
  ]

  it("has all columns beside each other where there is room", () => {
    const { columns: shown, isStacked } = arranged(columns, 480)
    expect([keys(shown), isStacked]).toEqual([["name", "state", "node", "age"], false])
  })

  it("gives the first a line of its own where there is little, which leaves more for the others", () => {
    const { columns: shown, template: below, isStacked } = arranged(columns, 250)
    expect([keys(shown), isStacked]).toEqual([["name", "state", "node"], true])
    expect(below).toBe("100px minmax(100px, 1fr)")
  })

  it("keeps one line where no column leads", () => {
    expect(arranged(columns.slice(1), 250).isStacked).toBe(false)
  })
})

describe("sorting", () => {
  const columns = [column("name", 1, { sort: (row) => row, first: "desc" }), column("plain", 1)]

  it("reads numbers in texts by value, and keeps equals in the order of their keys", () => {
    const key = (row: string) => row
    expect(sorted(["web-10", "web-9"], columns, readSorting("name"), key)).toEqual(["web-9", "web-10"])
    expect(sorted(["web-10", "web-9"], columns, readSorting("-name"), key)).toEqual(["web-10", "web-9"])
    expect(sorted(["b", "a"], columns, readSorting("plain"), key)).toEqual(["a", "b"])
    expect(sorted(["b", "a"], columns, readSorting("no-such-column"), key)).toEqual(["a", "b"])
  })

  it("goes from the column's own direction to the other", () => {
    const [name] = columns
    const once = clicked(name as Column<string>, undefined)
    expect(writeSorting(once)).toBe("-name")
    expect(writeSorting(clicked(name as Column<string>, once))).toBe("name")
  })
})
