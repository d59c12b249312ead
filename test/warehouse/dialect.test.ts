/** BigQuery's own parser and analyzer accept every shared SQL text unchanged. */

import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { analysisViews } from '../../pipeline/warehouse/analysis-views.ts'
import { profilesText } from '../../pipeline/query/cohort-profiles.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { compileCohorts } from '../../pipeline/definition/compile-cohort.ts'
import { BLOCKS, blockSql } from '../../scripts/report/block-sql.ts'
import { countsSql, DAILY_VIEWS } from '../../scripts/report/collect/collect-cubes.ts'
import {
  groupedCyclesSql,
  groupedMovesSql,
  groupedUnitsSql,
} from '../../scripts/report/collect/moves-sql.ts'
import { eventValue } from '../../scripts/report/event-value.ts'
import { SKETCHES, sketchSql } from '../../scripts/report/sketch/sketch-sql.ts'
import { cohortSql, versionSql } from '../../scripts/report/population/population-sql.ts'
import { JOURNEYS } from '../support/report/report-data.ts'
import { startAnalyzer } from '../support/zetasql.ts'

const analyzer = await startAnalyzer()
afterAll(() => analyzer?.stop())

const [order] = JOURNEYS as [Journey]

const texts = (dir: string) =>
  readdirSync(dir).map((file) => ({
    name: file.replace('.sql', ''),
    text: readFileSync(`${dir}/${file}`, 'utf8'),
  }))

describe.skipIf(analyzer === null)('BigQuery', () => {
  test.each(texts('sql/views'))('accepts view $name', async ({ name, text }) => {
    await analyzer?.addView(name, text)
  })

  test.each(analysisViews())('accepts analysis view $name', async ({ name, text }) => {
    await analyzer?.addView(name, text)
  })

  test.each(texts('sql/checks'))('accepts check $name', async ({ text }) => {
    await analyzer?.columnsOf(text)
  })

  test.each(['checkout', 'never'])('accepts the cohort query for state %s', async (state) => {
    const who = { journey: 'checkout', reached: state, where: { property: 'value', gte: 10 } }
    const times = state === 'never' ? { eq: 0 } : { gte: 1 }
    const compiled = compileCohorts([{ id: 'asked', who: { ...who, times } }])
    const since = { touchedSince: 1 }
    await analyzer?.columnsOf(profilesText(compiled, 2, (view) => view, since))
  })

  test.each(BLOCKS)('accepts the query of the page for %s', async (block) => {
    const slice = { from: 86_400_000, to: 172_800_000, source: `it's a \\`, group: null }
    const value = eventValue('properties.plan', 'bigquery:project.dataset')
    const place = { journey: 'checkout', track: 'main', value }
    await analyzer?.columnsOf(blockSql(block, { ...place, slice }))
    await analyzer?.columnsOf(blockSql(block, { ...place, slice: { ...slice, group: 'a\nb' } }))
  })

  test.each(['properties.plan', 'context.page.url', 'name', `properties.it's "a"\\n\n`])(
    'accepts counts grouped by %s',
    async (by) => {
      const value = eventValue(by, 'bigquery:project.dataset')
      for (const sql of [groupedMovesSql, groupedCyclesSql, groupedUnitsSql]) {
        await analyzer?.columnsOf(sql(value))
      }
      for (const name of SKETCHES) await analyzer?.columnsOf(sketchSql(name, value, 0))
    },
  )

  test.each(SKETCHES)('accepts the query of the sketch of %s', async (name) => {
    await analyzer?.columnsOf(sketchSql(name, null, 1))
  })

  test.each(DAILY_VIEWS)('accepts the query of the daily counts of %s', async (view) => {
    const days = { from: 86_400_000, to: 172_800_000 }
    await analyzer?.columnsOf(
      countsSql(view, { relation: (name) => name, days, owner: null, value: null }),
    )
  })

  test.each([
    ['version', versionSql(order)],
    ['cohort', cohortSql(`it's a \\`)],
  ])('accepts the daily views of a %s', async (_kind, sql) => {
    for (const view of DAILY_VIEWS.filter((name) => name !== 'daily_paths')) {
      const source = { relation: (name: string) => name, days: null, owner: null, value: null }
      await analyzer?.columnsOf(sql + countsSql(view, source))
    }
  })

  test.each([
    ['select count(*) filter (where visit > 1) from transitions', /Syntax error/],
    ['select try_cast(profile_id as int64) from sessions', /Unexpected function call argument/],
    ['select nothing from sessions', /Unrecognized name: nothing/],
    ["select date_diff('day', started_at, ended_at) from sessions", /A valid date part/],
  ])('rejects %s', async (sql, words) => {
    await expect(analyzer?.columnsOf(sql)).rejects.toThrow(words)
  })
})
