/**
 * The public views → the document of a page. It asks nothing but the views, so that the page says
 * nothing an analyst could not ask as well.
 */

import { UserError } from '../../../pipeline/base/errors.ts'
import { choiceOf } from '../../../pipeline/base/text.ts'
import { tracksOf, type Journey } from '../../../pipeline/definition/journey.ts'
import { ReleaseLog } from '../../../pipeline/warehouse/release-log.ts'
import type { Row, Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { boundCubes, type Cubes } from '../cube/bound-cubes.ts'
import { CUBE_BYTES_MAX, JOURNEYS_MAX, POPULATION_BYTES_MAX } from '../bounds.ts'
import { checkBy } from './check-by.ts'
import { collectFunnelCubes, collectTrackCubes, present } from './collect-cubes.ts'
import type { JourneyPart, ReportDocument } from '../document.ts'
import { collectFunnels } from './collect-funnels.ts'
import {
  collectCorrections,
  collectErrorRate,
  collectQuality,
  emptinessOf,
} from './collect-quality.ts'
import { collectPopulations } from './collect-populations.ts'
import { collectSketches } from './collect-sketches.ts'
import { collectThen } from './collect-then.ts'
import { collectTracks } from './collect-tracks.ts'
import { emptyError } from '../../../pipeline/query/as-of.ts'
import { eventValue } from '../event-value.ts'
import { asking, instantOrNull, number } from '../read.ts'

/** Returns the document of one journey, or of all that are released. The page can choose among the
 * values of `by`, a path into events. Throws a `UserError` if no event has a value there. */
export async function collect(
  warehouse: Warehouse,
  wanted: string | null,
  by: string | null = null,
): Promise<ReportDocument> {
  const [head] = await warehouse.query(
    `select batch, recorded_at, watermark from batches
     qualify row_number() over (order by batch desc) = 1`,
  )
  if (head === undefined) throw emptyError(warehouse)
  const released = await releasedJourneys(warehouse)
  const chosen = wanted === null ? released : released.filter(({ id }) => id === wanted)
  if (wanted !== null && chosen.length === 0) {
    const known = released.map(({ id }) => id)
    throw new UserError(
      `--journey ${JSON.stringify(wanted)} is not released in ${warehouse.url}: ` +
        choiceOf(known, 'journeys'),
      2,
    )
  }
  const shown = chosen.slice(0, JOURNEYS_MAX)
  const journeys: JourneyPart[] = []
  for (const journey of shown) journeys.push(await collectJourney(warehouse, journey))
  const watermark = instantOrNull(head['watermark'])
  const value = by === null ? null : eventValue(by, warehouse.url)
  if (by !== null && value !== null) await checkBy(warehouse, by, value)
  const cubes = boundCubes(await collectCubes(warehouse, shown, watermark, value), CUBE_BYTES_MAX)
  const populations = await collectPopulations(warehouse, shown)
  const populationCubes = boundCubes(
    Object.assign({}, ...populations.map((one) => one.cubes)) as Cubes,
    POPULATION_BYTES_MAX,
  )
  const quality = await collectQuality(warehouse)
  return {
    warehouse: warehouse.url,
    watermark,
    recordedAt: instantOrNull(head['recorded_at']),
    batch: number(head['batch']),
    journeys,
    journeysLeftOut: released.length - shown.length,
    funnels: await collectFunnels(warehouse, null),
    quality,
    empty: emptinessOf(quality, warehouse.url),
    by,
    cubes,
    cubeBytes: Buffer.byteLength(JSON.stringify(cubes)),
    cubeBytesMax: CUBE_BYTES_MAX,
    populations: populations.map(({ part }) => part),
    populationCubes,
    sketches: await collectSketches(
      warehouse,
      shown.map(({ id }) => id),
      value,
    ),
  }
}

async function collectCubes(
  warehouse: Warehouse,
  journeys: Journey[],
  watermark: number | null,
  value: string | null,
): Promise<Cubes> {
  const source = present(warehouse, value)
  const cubes: Cubes = await collectFunnelCubes(source, null)
  for (const journey of journeys) {
    Object.assign(cubes, await collectTrackCubes(source, journey))
    Object.assign(cubes, await collectFunnelCubes(source, journey.id))
  }
  if (watermark === null) return cubes
  return { ...cubes, ...(await collectThen(warehouse, journeys, watermark)) }
}

/** The live version of each journey, by id. */
async function releasedJourneys(warehouse: Warehouse): Promise<Journey[]> {
  return (await ReleaseLog.read(warehouse))
    .live()
    .filter(({ kind }) => kind === 'journey')
    .map(({ content }) => JSON.parse(content) as Journey)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

async function collectJourney(warehouse: Warehouse, journey: Journey): Promise<JourneyPart> {
  const ask = asking(warehouse, journey.id)
  const [all] = await ask(
    `select count(distinct instance_id) as instance_count,
       count(distinct profile_id) as profile_count,
       min(entered_at) as first_at, max(entered_at) as last_at
     from states where journey = ?`,
  )
  const [complete] = await ask(
    `select count(*) as complete_count,
       countif(success_count > 0 and failure_count = 0) as converted_count,
       countif(failure_count > 0) as lost_count
     from (
       select instance_id, countif(outcome = 'success') as success_count,
         countif(outcome = 'failure') as failure_count
       from states inner join final_states
         on final_states.journey = states.journey and final_states.version = states.version
         and final_states.track = states.track and final_states.state = states.state
       where states.journey = ?
       group by instance_id having count(*) = ${tracksOf(journey).length}
     ) as ended`,
  )
  const row: Row = all ?? {}
  return {
    id: journey.id,
    version: journey.version,
    instanceCount: number(row['instance_count']),
    profileCount: number(row['profile_count']),
    completeCount: number(complete?.['complete_count']),
    convertedCount: number(complete?.['converted_count']),
    lostCount: number(complete?.['lost_count']),
    firstAt: instantOrNull(row['first_at']),
    lastAt: instantOrNull(row['last_at']),
    tracks: await collectTracks(ask, journey),
    funnels: await collectFunnels(warehouse, journey.id),
    errorRate: await collectErrorRate(ask),
    ...(await collectCorrections(ask, journey.version)),
  }
}
