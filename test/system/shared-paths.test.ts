/**
 * Public path data, beside the checkout or in the folder DESIRE_PATH_SHARED: a hospital's sepsis
 * cases with 846 known variants, and transition matrices of another engine. A journey has one state
 * per event name. Tests are skipped without the data.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { failedChecks } from '../../pipeline/warehouse/integrity-checks.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { Harness } from '../support/dump.ts'

const DATA = process.env['DESIRE_PATH_SHARED'] ?? '../shared/data'
const has = (name: string) => existsSync(join(DATA, name))
if (!existsSync(DATA)) console.log(`skipped: no paths by others at ${DATA}`)

const stateOf = (event: string) => event.replaceAll(/\W/g, '_')

/** Journey in which every event leads to the state of its name, from any state. */
function journeyOf(events: Iterable<string>): Journey {
  const names = [...new Set(events)]
  return {
    id: 'steps',
    version: 1,
    initial: 'path_start',
    states: Object.fromEntries(['path_start', ...names.map(stateOf)].map((state) => [state, {}])),
    on: Object.fromEntries(names.map((name) => [name, stateOf(name)])),
  }
}

type Line = { who: string; event: string; at: string }

async function walked(lines: Line[]): Promise<Harness> {
  const journeys = [journeyOf(lines.map(({ event }) => event))]
  const harness = new Harness(makeDefinitions({ journeys }))
  await harness.feed(
    lines.map(({ who, event, at }, i) =>
      JSON.stringify({
        event_id: `e${i}`,
        name: event,
        occurred_at: at,
        ordinal: i,
        identifiers: { user_id: `case-${who}` },
      }),
    ),
  )
  return harness
}

describe.skipIf(!has('log-bupar'))('sepsis cases of a hospital', () => {
  test('1,050 cases have 846 variants, and each case has its known variant', async () => {
    const text = gunzipSync(readFileSync(join(DATA, 'log-bupar/sepsis.csv.gz'))).toString()
    const rows = text
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.split(';'))
    const { warehouse } = await walked(
      rows.map(([who = '', event = '', at = '']) => ({
        who,
        event,
        at: `${at.replaceAll('/', '-').replace(' ', 'T')}Z`,
      })),
    )
    const [variants] = await warehouse.query(
      `select count(*) as variants, cast(sum(instance_count) as int64) as cases,
         max(cumulative_coverage) as covered from path_variants`,
    )
    expect(variants).toEqual({ variants: 846, cases: 1_050, covered: 1 })

    const given = new Map(rows.map(([who, , , variant]) => [`user_id:case-${who}`, variant]))
    const pairs = new Set<string>()
    const paths = await warehouse.query(
      `select profile_id, string_agg(to_state, ' > ' order by seq) as path
       from transitions group by profile_id`,
    )
    for (const { profile_id, path } of paths) {
      pairs.add(`${given.get(profile_id as string)} ${String(path)}`)
    }
    expect(pairs.size).toBe(846)
    expect((await failedChecks(warehouse)).failed).toEqual([])
    await warehouse.close()
  })
})

type Matrix = { input_tsv: string; labels: string[] }
type Cases = {
  transition_matrix: Matrix & { count: number[][] }
  step_matrix: Matrix & { steps: number; share: number[][] }
}

describe.skipIf(!has('paths-retentioneering'))('matrices of another engine', () => {
  const cases = () =>
    JSON.parse(
      readFileSync(join(DATA, 'paths-retentioneering/cases_neutral.json'), 'utf8'),
    ) as Cases
  const linesOf = ({ input_tsv }: Matrix): Line[] =>
    input_tsv
      .split('\n')
      .slice(1)
      .filter((row) => row !== '')
      .map((row) => row.split('\t'))
      .map(([who = '', event = '', at = '']) => ({ who, event, at: `${at.replace(' ', 'T')}Z` }))

  test('the transition matrix is equal', async () => {
    const { labels, count, ...matrix } = cases().transition_matrix
    const { warehouse } = await walked(linesOf({ labels, ...matrix }))
    const moves = await warehouse.query(
      `select from_state, to_state, transition_count from transition_matrix
       where cause = 'event'
       union all
       select state, 'path_end', still_inside_count from (
         select state, cast(sum(still_inside_count) as int64) as still_inside_count
         from state_durations group by state
       )`,
    )
    const ours = labels.map((from) =>
      labels.map((to) => {
        const move = moves.find((row) => row['from_state'] === from && row['to_state'] === to)
        return move?.['transition_count'] ?? 0
      }),
    )
    expect(ours).toEqual(count)
    await warehouse.close()
  })

  test('the share of people at each step is equal', async () => {
    const { labels, share, steps, ...matrix } = cases().step_matrix
    const { warehouse } = await walked(linesOf({ labels, ...matrix }))
    const rows = await warehouse.query(
      `select profile_id, string_agg(to_state, ' ' order by seq) as path
       from transitions group by profile_id`,
    )
    const paths = rows.map(({ path }) => String(path).split(' '))
    const ours = labels.map((label) =>
      Array.from({ length: steps }, (_, step) => {
        const there = paths.filter((path) => (path[step] ?? 'path_end') === label)
        return there.length / paths.length
      }),
    )
    expect(ours).toEqual(share)
    await warehouse.close()
  })
})
