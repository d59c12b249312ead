/**
 * Counts of the seven days before the last seven, as the warehouse knew them when they had just been
 * decided. The difference from what it knows now is what was restated since.
 */

import type { Journey } from '../../../pipeline/definition/journey.ts'
import { believed } from '../../../pipeline/query/as-of.ts'
import type { Row, Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import type { Cubes } from '../cube/bound-cubes.ts'
import { collectFunnelCubes, collectTrackCubes, type CubeSource } from './collect-cubes.ts'
import { thenName } from '../cube/cube-names.ts'
import { grouped, number, numberOrNull, text } from '../read.ts'
import { decidedAt, windowsOf } from '../windows.ts'

/** When each batch was recorded, and its watermark, in microseconds. */
type Batches = { recordedAt: number; watermark: number }[]

/** Returns the cubes under `thenName`. `watermark` is in milliseconds. */
export async function collectThen(
  warehouse: Warehouse,
  journeys: Journey[],
  watermark: number,
): Promise<Cubes> {
  const rows = await warehouse.query(
    'select recorded_at, watermark from batches where watermark is not null order by batch',
  )
  const batches = rows.map((row) => ({
    recordedAt: number(row['recorded_at']),
    watermark: number(row['watermark']),
  }))
  const cubes: Cubes = {}
  const add = (found: Cubes) => {
    for (const [name, cube] of Object.entries(found)) cubes[thenName(name)] = cube
  }
  const source = sourceOf(warehouse, batches, watermark, { withinMs: null, owner: null })
  for (const journey of journeys) add(await collectTrackCubes(source, journey))
  const windows = await warehouse.query(
    'select distinct journey, funnel, within_ms from funnel_definitions where step_no = 1',
  )
  const shown = new Set(journeys.map(({ id }) => id))
  const own = windows.filter(({ journey }) => journey === null || shown.has(text(journey)))
  for (const same of grouped(own, withinKey).values()) {
    const [first = {}] = same
    const within = numberOrNull(first['within_ms'])
    const owner = first['journey'] === null ? null : text(first['journey'])
    const found = await collectFunnelCubes(
      sourceOf(warehouse, batches, watermark, { withinMs: within, owner: owner ?? '' }),
      owner,
      same.map((row) => text(row['funnel'])),
    )
    add(found)
  }
  return cubes
}

const withinKey = (row: Row): string => `${text(row['journey'])} ${text(row['within_ms'])}`

/** The views as they were known then, and the days before. */
function sourceOf(
  warehouse: Warehouse,
  batches: Batches,
  watermark: number,
  { withinMs, owner }: { withinMs: number | null; owner: string | null },
): CubeSource {
  const windows = windowsOf(watermark, withinMs)
  const decided = decidedAt(windows, withinMs) * 1_000
  const then = batches.find((batch) => batch.watermark >= decided)?.recordedAt ?? null
  return {
    warehouse,
    value: null,
    sql: '',
    relation: (view) => believed(warehouse, view, then),
    days: windows.before,
    // They change while they run, and are of the present only.
    hasPaths: false,
    owner,
    read: new Map(),
  }
}
