/**
 * Counts by path, day, source, group and kind that can be added up: the page recomputes its numbers
 * from them for any range of days, source or group. Packed as gaps and counts, so that a cell takes
 * a few bytes.
 */

/** A packed cube. A cell is numbered by day, source, group and kind, the kind fastest. */
export type CubePart = {
  /** First day, in milliseconds, and number of days. */
  from: number
  dayCount: number
  sources: string[]
  /** Values of the property that `--by` names; one empty text without it. */
  groups: string[]
  /** Outcomes, or measures. */
  kinds: string[]
  /** Most common first. `cells` alternates the gap from the cell before and the value. */
  paths: { path: string; cells: number[] }[]
  /** Rarer paths that the page has no room for: how many, and their count in all. */
  others: { paths: number; count: number }
}

/** One cell before packing. `day` is in milliseconds. */
export type Cell = {
  path: string
  day: number
  source: string
  group: string
  kind: string
  value: number
}

/** Selected days, inclusive, in milliseconds, and source and group; null selects all. */
export type Slice = {
  from: number | null
  to: number | null
  source: string | null
  group: string | null
}

export const EVERYTHING: Slice = { from: null, to: null, source: null, group: null }

export function isEverything(slice: Slice): boolean {
  return Object.values(slice).every((part) => part === null)
}

export const DAY_MS = 86_400_000

/** Names of values that are not recorded, and of all but the most common. */
export const UNKNOWN = '(unknown)'
export const OTHER = '(other)'

/** Packs cells. At most `valuesMax` sources and groups keep their names. */
export function packCube(cells: Cell[], kinds: string[], valuesMax: number): CubePart {
  const days = cells.map(({ day }) => day)
  const from = days.reduce((least, day) => Math.min(least, day), days[0] ?? 0)
  const last = days.reduce((most, day) => Math.max(most, day), from)
  const dayCount = cells.length === 0 ? 0 : (last - from) / DAY_MS + 1
  const sources = namesOf(cells, ({ source }) => source, valuesMax)
  const groups = namesOf(cells, ({ group }) => group, valuesMax)
  const indexOf = (names: string[]) => {
    const at = new Map(names.map((name, i) => [name, i]))
    return (name: string) => at.get(name) ?? names.length - 1
  }
  const [source, group, kind] = [indexOf(sources), indexOf(groups), indexOf(kinds)]
  const paths = new Map<string, Map<number, number>>()
  for (const cell of cells) {
    const values = paths.get(cell.path) ?? new Map<number, number>()
    paths.set(cell.path, values)
    const day = (cell.day - from) / DAY_MS
    const no =
      ((day * sources.length + source(cell.source)) * groups.length + group(cell.group)) *
        kinds.length +
      kind(cell.kind)
    values.set(no, (values.get(no) ?? 0) + cell.value)
  }
  const packed = [...paths]
    .map(([path, values]) => ({ path, cells: gapsOf(values), count: countOf(values, kinds) }))
    .sort((a, b) => b.count - a.count || (a.path < b.path ? -1 : 1))
    .map(({ path, cells: own }) => ({ path, cells: own }))
  return { from, dayCount, sources, groups, kinds, paths: packed, others: { paths: 0, count: 0 } }
}

/** Values by name, the greatest sum first; all beyond `max` share one name at the end. */
function namesOf(cells: Cell[], nameOf: (cell: Cell) => string, max: number): string[] {
  const sums = new Map<string, number>()
  for (const cell of cells) sums.set(nameOf(cell), (sums.get(nameOf(cell)) ?? 0) + cell.value)
  const names = [...sums].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  if (names.length <= max) return names.map(([name]) => name)
  return [...names.slice(0, max).map(([name]) => name), OTHER]
}

/** The sum of the kind `COUNT` if there is one, else of all. */
function countOf(values: Iterable<[number, number]>, kinds: string[]): number {
  let total = 0
  for (const [no, value] of values) {
    if (kinds[0] !== COUNT || no % kinds.length === 0) total += value
  }
  return total
}

/** The kind that counts, in a cube whose other kinds are measures. It is the first. */
export const COUNT = 'count'
export const MS_SUM = 'ms'

function gapsOf(values: Map<number, number>): number[] {
  let before = 0
  return [...values]
    .sort(([a], [b]) => a - b)
    .flatMap(([no, value]) => {
      const gap = no - before
      before = no
      return [gap, value]
    })
}

/** Calls `visit` with each cell of a path that a slice selects. */
export function eachCell(
  cube: CubePart,
  cells: number[],
  slice: Slice,
  visit: (value: number, kind: string, day: number) => void,
): void {
  const { from, sources, groups, kinds } = cube
  let no = 0
  for (let i = 0; i < cells.length; i += 2) {
    no += cells[i] ?? 0
    const kind = no % kinds.length
    const group = Math.floor(no / kinds.length) % groups.length
    const source = Math.floor(no / kinds.length / groups.length) % sources.length
    const day = from + Math.floor(no / kinds.length / groups.length / sources.length) * DAY_MS
    if (slice.from !== null && day < slice.from) continue
    if (slice.to !== null && day > slice.to) continue
    if (slice.source !== null && sources[source] !== slice.source) continue
    if (slice.group !== null && groups[group] !== slice.group) continue
    visit(cells[i + 1] ?? 0, kinds[kind] ?? '', day)
  }
}

/** Sums of a slice by path and kind. */
export function sumsOf(cube: CubePart, slice: Slice): Map<string, Map<string, number>> {
  const sums = new Map<string, Map<string, number>>()
  for (const { path, cells } of cube.paths) {
    const kinds = new Map<string, number>()
    eachCell(cube, cells, slice, (value, kind) => kinds.set(kind, (kinds.get(kind) ?? 0) + value))
    if (kinds.size > 0) sums.set(path, kinds)
  }
  return sums
}
