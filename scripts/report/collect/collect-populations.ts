/** Other versions of the journeys that have rows, such as a replayed candidate, and cohorts. */

import { compileJourneyFunnels } from '../../../pipeline/definition/compile-funnel.ts'
import type { Journey } from '../../../pipeline/definition/journey.ts'
import { ReleaseLog } from '../../../pipeline/warehouse/release-log.ts'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { COHORTS_MAX, VERSIONS_MAX } from '../bounds.ts'
import type { Cubes } from '../cube/bound-cubes.ts'
import { populationName } from '../cube/cube-names.ts'
import type { FunnelPart, PopulationPart } from '../document.ts'
import { cohortSql, versionSql } from '../population/population-sql.ts'
import { number, text } from '../read.ts'
import { funnelWords } from '../funnel-words.ts'
import { collectFunnelCubes, collectTrackCubes, present } from './collect-cubes.ts'

type Population = { part: PopulationPart; cubes: Cubes }

/** Returns the latest versions of each journey that are not live, and the largest cohorts. */
export async function collectPopulations(
  warehouse: Warehouse,
  journeys: Journey[],
): Promise<Population[]> {
  const found: Population[] = []
  for (const journey of journeys) {
    for (const other of await otherVersions(warehouse, journey)) {
      const part: PopulationPart = {
        kind: 'version',
        name: String(other.version),
        journey: journey.id,
        funnels: compileJourneyFunnels(other).map(emptyFunnel),
        sql: versionSql(other),
      }
      found.push({ part, cubes: await cubesOf(warehouse, part, [other]) })
    }
  }
  for (const cohort of await largestCohorts(warehouse)) {
    const rest = { journey: null, funnels: null, sql: cohortSql(cohort) }
    const part: PopulationPart = { kind: 'cohort', name: cohort, ...rest }
    found.push({ part, cubes: await cubesOf(warehouse, part, journeys) })
  }
  return found
}

async function cubesOf(
  warehouse: Warehouse,
  part: PopulationPart,
  journeys: Journey[],
): Promise<Cubes> {
  const source = { ...present(warehouse, null, part.sql), hasPaths: false }
  const cubes: Cubes = part.journey === null ? await collectFunnelCubes(source, null) : {}
  for (const journey of journeys) {
    Object.assign(cubes, await collectTrackCubes(source, journey))
    Object.assign(cubes, await collectFunnelCubes(source, journey.id))
  }
  const named = Object.entries(cubes).map(([name, cube]) => [populationName(part, name), cube])
  return Object.fromEntries(named) as Cubes
}

async function otherVersions(warehouse: Warehouse, live: Journey): Promise<Journey[]> {
  const rows = await warehouse.query(
    `select distinct version from transition_facts
     where superseded_at is null and journey = ? and version <> ?
     order by version desc limit ${VERSIONS_MAX}`,
    [live.id, live.version],
  )
  const { entries } = await ReleaseLog.read(warehouse, "kind = 'journey'")
  return rows.flatMap((row) => {
    const version = number(row['version'])
    const entry = entries.findLast((one) => one.id === live.id && one.version === version)
    return entry === undefined ? [] : [JSON.parse(entry.content) as Journey]
  })
}

async function largestCohorts(warehouse: Warehouse): Promise<string[]> {
  const rows = await warehouse.query(
    `select cohort, count(*) as members from cohort_members
     group by cohort order by members desc, cohort limit ${COHORTS_MAX}`,
  )
  return rows.map((row) => text(row['cohort']))
}

/** A funnel without numbers, which are worked out from its cube. */
function emptyFunnel(funnel: ReturnType<typeof compileJourneyFunnels>[number]): FunnelPart {
  const hasWindow = funnel.windowUs !== Infinity
  const none = { count: 0, converted: 0, rate: null, low: null, high: null }
  const matured = hasWindow ? none : null
  return {
    name: funnel.id,
    stepsAre: 'states',
    countBy: funnel.countBy,
    withinMs: hasWindow ? Math.ceil(funnel.windowUs / 1_000) : null,
    options: funnelWords(funnel.options),
    matured,
    steps: funnel.steps.map(({ name, isOptional }, i) => ({
      step: funnel.order === 'any' ? `any step, ${i + 1}` : name,
      isOptional,
      reached: 0,
      converted: 0,
      dropped: 0,
      pending: 0,
      matured,
      medianMs: null,
      p90Ms: null,
    })),
    byAge: [],
    daily: [],
    bySource: [],
  }
}
