/** Versions and cohorts beside the live journey: their numbers are those of their own rows. */

import { expect, test } from 'vitest'
import type { Journey } from '../../../pipeline/definition/journey.ts'
import { makeDefinitions } from '../../../pipeline/definition/load.ts'
import { runCohorts } from '../../../pipeline/query/run-cohorts.ts'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { blockSql } from '../../../scripts/report/block-sql.ts'
import { cyclePairs, funnelPairs, movePairs } from '../../../scripts/report/client/compare/pairs.ts'
import { allChoices, sideOf } from '../../../scripts/report/client/compare/side.ts'
import { choiceOf, choiceText } from '../../../scripts/report/client/compare/choice.ts'
import { collect } from '../../../scripts/report/collect/collect.ts'
import { cubeName, populationName } from '../../../scripts/report/cube/cube-names.ts'
import { EVERYTHING } from '../../../scripts/report/cube/cube.ts'
import type { JourneyPart, ReportDocument, TrackPart } from '../../../scripts/report/document.ts'
import { Harness } from '../../support/dump.ts'
import { step } from '../../support/releasing.ts'
import { emptyWarehouse } from '../../support/reused-warehouse.ts'
import { busyLines, FUNNEL, JOURNEYS } from '../../support/report/report-data.ts'

const [order] = JOURNEYS as [Journey]
const CUBES = [
  cubeName.ways('order', 'main'),
  cubeName.cycles('order', 'main'),
  cubeName.funnel('order', 'purchase'),
]

function sideIn(report: ReportDocument, text: string | null) {
  const [journey] = report.journeys as [JourneyPart]
  const [track] = journey.tracks as [TrackPart]
  return sideOf(report, journey, track, EVERYTHING, choiceOf(text))
}

const countOf = async (warehouse: Warehouse, sql: string) =>
  Number((await warehouse.query(sql))[0]?.['n'])

test('a replayed version has the numbers that it has once it is live', async () => {
  const harness = new Harness(makeDefinitions({ journeys: [order] }), emptyWarehouse())
  await harness.feed(busyLines(20).slice(0, 200))
  // Carts are lost sooner, so that the versions differ.
  const cart = { on: { Pay: 'paying' }, after: { '15m': 'lost' } }
  const next = { ...order, version: 2, states: { ...order.states, cart } } as Journey
  const younger = makeDefinitions({ journeys: [next] })
  await step(harness, younger, 'replayed')
  const before = await collect(harness.warehouse, null)
  const [journey] = before.journeys as [JourneyPart]
  expect(allChoices(before, journey).map(choiceText)).toContain('version 2')
  const candidate = sideIn(before, 'version 2')
  expect(candidate.moves).not.toEqual(sideIn(before, null).moves)
  const sql = blockSql('funnel', {
    journey: 'order',
    track: 'main',
    slice: EVERYTHING,
    value: null,
  })
  const rows = await harness.warehouse.query(candidate.sql + sql)
  expect(rows.map((row) => Number(row['reached']))).toEqual(
    candidate.funnels[0]?.steps.map(({ reached }) => reached),
  )
  await step(harness, younger, 'promoted')
  const after = await collect(harness.warehouse, null)
  for (const name of CUBES) {
    const own = before.populationCubes[populationName({ kind: 'version', name: '2' }, name)]
    expect(own?.paths.length).toBeGreaterThan(0)
    expect(own).toEqual(after.cubes[name])
  }
  expect(candidate.funnels[0]?.matured).toEqual(after.journeys[0]?.funnels[0]?.matured)
  await harness.warehouse.close()
})

test('a cohort has the numbers of its members', async () => {
  const cohort = { id: 'buyers', who: { journey: 'order', reached: 'bought' } }
  const definitions = makeDefinitions({ journeys: [order], funnels: [FUNNEL], cohorts: [cohort] })
  const harness = new Harness(definitions, emptyWarehouse())
  await harness.feed(busyLines().slice(0, 400))
  harness.restart()
  const { warehouse } = harness
  await runCohorts(warehouse, await warehouse.open(), [cohort])
  const report = await collect(warehouse, null)
  const [all, members] = [sideIn(report, null), sideIn(report, `cohort ${cohort.id}`)]
  expect(members.title).toBe(`cohort ${cohort.id}`)
  const isMember = 'profile_id in (select profile_id from cohort_members)'
  const [whole] = funnelPairs(all, members).filter(({ name }) => name === 'Whole funnel')
  expect(whole?.second?.count).toBeGreaterThan(10)
  const units = `funnel_units where funnel = 'purchase' and is_matured`
  expect([whole?.first?.count, whole?.second?.count]).toEqual([
    await countOf(warehouse, `select count(*) as n from ${units}`),
    await countOf(warehouse, `select count(*) as n from ${units} and ${isMember}`),
  ])
  const way = movePairs(all, members).find(({ name }) => name === 'paying → bought')
  const moves = `transitions where from_state = 'paying' and ${isMember}`
  expect([way?.second?.converted, way?.second?.count]).toEqual([
    await countOf(warehouse, `select count(*) as n from ${moves} and to_state = 'bought'`),
    await countOf(warehouse, `select count(*) as n from ${moves}`),
  ])
  const cycles = cyclePairs(all, members).reduce((total, { second }) => total + second, 0)
  expect(cycles).toBe(
    await countOf(warehouse, `select count(*) as n from cycles where ${isMember}`),
  )
  expect(members.funnels.find(({ name }) => name === 'quick')?.steps[0]?.reached).toBe(
    await countOf(
      warehouse,
      `select count(*) as n from funnel_units where funnel = 'quick' and ${isMember}`,
    ),
  )
  await warehouse.close()
})
