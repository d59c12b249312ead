/** Counts that can be added up, from the views that have them, as cubes. */

import { tracksOf, type Journey } from '../../pipeline/definition/journey.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import type { Cubes } from './bound-cubes.ts'
import { VALUES_MAX } from './bounds.ts'
import { COUNT, MS_SUM, packCube, UNKNOWN, type Cell } from './cube.ts'
import { cubeName, MATURED, RUNNING, wayPath } from './cube-names.ts'
import { dayOf, grouped, number, text, type Ask } from './read.ts'

const WAYS = `
  select track, day, source, from_state, to_state, cause, transition_count
  from daily_transitions where journey = ?`

const CYCLES = `
  select track, day, source, path, cycle_count, total_duration_ms
  from daily_cycles where journey = ?`

const PATHS = `
  select track, day, source, path, outcome, instance_count
  from daily_paths where journey = ?`

const FUNNELS = `
  select funnel, day, source, steps, outcome, is_matured, unit_count
  from funnel_paths where coalesce(journey, '') = ?`

/** Those of the tracks of a journey. */
export async function collectTrackCubes(ask: Ask, journey: Journey): Promise<Cubes> {
  const ways = grouped(await ask(WAYS), 'track')
  const cycles = grouped(await ask(CYCLES), 'track')
  const paths = grouped(await ask(PATHS), 'track')
  const cubes: Cubes = {}
  for (const [track] of tracksOf(journey)) {
    cubes[cubeName.ways(journey.id, track)] = pack((ways.get(track) ?? []).map(wayCell))
    cubes[cubeName.cycles(journey.id, track)] = pack((cycles.get(track) ?? []).flatMap(cycleCells))
    cubes[cubeName.paths(journey.id, track)] = pack((paths.get(track) ?? []).map(pathCell))
  }
  return cubes
}

/** Those of the funnels of a journey; with null, of the funnels whose steps are events. */
export async function collectFunnelCubes(
  warehouse: Warehouse,
  journey: string | null,
): Promise<Cubes> {
  const rows = grouped(await warehouse.query(FUNNELS, [journey ?? '']), 'funnel')
  const named = [...rows].map(([funnel, own]) => [
    cubeName.funnel(journey, funnel),
    pack(own.map(unitCell)),
  ])
  return Object.fromEntries(named) as Cubes
}

function pack(cells: Cell[]) {
  const kinds = new Set(cells.map(({ kind }) => kind))
  const sorted = [...kinds].sort((a, b) => Number(b === COUNT) - Number(a === COUNT))
  return packCube(cells, sorted, VALUES_MAX)
}

const placed = (row: Row) => ({
  day: dayOf(row['day']),
  source: row['source'] === null ? UNKNOWN : text(row['source']),
  group: '',
})

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
