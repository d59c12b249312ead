/** Counts that can be added up, from the views that have them, as cubes. */

import { tracksOf, type Journey } from '../../../pipeline/definition/journey.ts'
import type { Row, Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import type { Cubes } from '../cube/bound-cubes.ts'
import { VALUES_MAX } from '../bounds.ts'
import { COUNT, MS_SUM, packCube, UNKNOWN, type Cell } from '../cube/cube.ts'
import { cubeName, MATURED, RUNNING, wayPath } from '../cube/cube-names.ts'
import { dateOf, dayOf, grouped, number, text } from '../read.ts'
import type { Days } from '../windows.ts'
import { groupedCyclesSql, groupedMovesSql, groupedUnitsSql } from './moves-sql.ts'

/** Where cubes come from: the views as they are or were known, and the days to count; null counts
 * all days. */
export type CubeSource = {
  warehouse: Warehouse
  relation: (view: string) => string
  /** A `with` clause before each query, see `population-sql.ts`; empty for none. */
  sql: string
  /** The property by which counts are grouped, see `eventValue`; null for none. */
  value: string | null
  days: Days | null
  /** Whether whole paths are read. */
  hasPaths: boolean
  /** The only journey that is read, empty for none; null reads all. */
  owner: string | null
  /** Rows of a view by journey, empty for none. Each view is read once for all journeys. */
  read: Map<string, Promise<Map<string, Row[]>>>
}

const GROUPED: { [view: string]: (value: string) => string } = {
  daily_transitions: groupedMovesSql,
  daily_cycles: groupedCyclesSql,
  funnel_paths: groupedUnitsSql,
}

/** The views as they are now; with a property, grouped by its values. */
export const present = (warehouse: Warehouse, value: string | null, sql = ''): CubeSource => ({
  warehouse,
  value,
  sql,
  relation: (view) => {
    const grouped = GROUPED[view]
    return value === null || grouped === undefined ? view : `(${grouped(value)}) as ${view}`
  },
  days: null,
  hasPaths: true,
  owner: null,
  read: new Map(),
})

async function rowsOf(source: CubeSource, sql: string, journey: string): Promise<Row[]> {
  const read =
    source.read.get(sql) ??
    source.warehouse
      .query(source.sql + sql, source.owner === null ? [] : [source.owner])
      .then((rows) => grouped(rows, 'owner'))
  source.read.set(sql, read)
  return (await read).get(journey) ?? []
}

/** A condition on the column `day`. */
const daysSql = (days: Days | null): string =>
  days === null ? 'true' : `day between date '${dateOf(days.from)}' and date '${dateOf(days.to)}'`

const COLUMNS = {
  daily_transitions: 'track, day, source, from_state, to_state, cause, transition_count',
  daily_cycles: 'track, day, source, path, cycle_count, total_duration_ms',
  daily_paths: 'track, day, source, path, outcome, instance_count',
  funnel_paths: 'funnel, day, source, steps, outcome, is_matured, unit_count',
}

export const DAILY_VIEWS = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[]

/** Returns the query of a view's counts; `owner` is the journey, empty for none. */
export function countsSql(
  view: keyof typeof COLUMNS,
  { relation, days, owner, value }: Pick<CubeSource, 'relation' | 'days' | 'owner' | 'value'>,
): string {
  const group = value === null || view === 'daily_paths' ? '' : ', group_value'
  return `
    select coalesce(journey, '') as owner, ${COLUMNS[view]}${group}
    from ${relation(view)} where ${daysSql(days)}${owner === null ? '' : ` and coalesce(journey, '') = ?`}`
}

/** Cubes of the tracks of a journey. */
export async function collectTrackCubes(source: CubeSource, journey: Journey): Promise<Cubes> {
  const ask = async (view: keyof typeof COLUMNS) =>
    grouped(await rowsOf(source, countsSql(view, source), journey.id), 'track')
  const ways = await ask('daily_transitions')
  const cycles = await ask('daily_cycles')
  const paths = source.hasPaths ? await ask('daily_paths') : new Map<string, Row[]>()
  const cubes: Cubes = {}
  for (const [track] of tracksOf(journey)) {
    cubes[cubeName.ways(journey.id, track)] = pack((ways.get(track) ?? []).map(wayCell))
    cubes[cubeName.cycles(journey.id, track)] = pack((cycles.get(track) ?? []).flatMap(cycleCells))
    const ended = paths.get(track)
    if (source.hasPaths)
      cubes[cubeName.paths(journey.id, track)] = pack((ended ?? []).map(pathCell))
  }
  return cubes
}

/** Cubes of the funnels of a journey; with null, of the funnels whose steps are events. */
export async function collectFunnelCubes(
  source: CubeSource,
  journey: string | null,
  funnels: string[] | null = null,
): Promise<Cubes> {
  const rows = await rowsOf(source, countsSql('funnel_paths', source), journey ?? '')
  const named = [...grouped(rows, 'funnel')]
    .filter(([funnel]) => funnels === null || funnels.includes(funnel))
    .map(([funnel, own]) => [cubeName.funnel(journey, funnel), pack(own.map(unitCell))])
  return Object.fromEntries(named) as Cubes
}

function pack(cells: Cell[]) {
  const kinds = new Set(cells.map(({ kind }) => kind))
  // In one order, whatever the order of the rows, so that the same counts give the same page.
  const sorted = [...kinds].sort(
    (a, b) => Number(b === COUNT) - Number(a === COUNT) || (a < b ? -1 : 1),
  )
  return packCube(cells, sorted, VALUES_MAX)
}

/** Day, source and group of a row. */
export const placed = (row: Row) => ({
  day: dayOf(row['day']),
  source: nameOf(row['source']),
  group: row['group_value'] === undefined ? '' : nameOf(row['group_value']),
})

const nameOf = (value: unknown): string => (value === null ? UNKNOWN : text(value))

function wayCell(row: Row): Cell {
  const way = {
    from: text(row['from_state']),
    to: text(row['to_state']),
    cause: text(row['cause']),
  }
  return { ...placed(row), path: wayPath(way), kind: '', value: number(row['transition_count']) }
}

function cycleCells(row: Row): Cell[] {
  const path = text(row['path'])
  return [
    { ...placed(row), path, kind: COUNT, value: number(row['cycle_count']) },
    { ...placed(row), path, kind: MS_SUM, value: number(row['total_duration_ms']) },
  ]
}

function pathCell(row: Row): Cell {
  const kind = row['outcome'] === null ? RUNNING : text(row['outcome'])
  return { ...placed(row), path: text(row['path']), kind, value: number(row['instance_count']) }
}

function unitCell(row: Row): Cell {
  const kind = text(row['outcome']) + (row['is_matured'] === true ? MATURED : '')
  return { ...placed(row), path: text(row['steps']), kind, value: number(row['unit_count']) }
}
