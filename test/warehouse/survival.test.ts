/** Rates, intervals and curves of the analysis views equal published values. */

import { expect, test } from 'vitest'
import { viewRows } from '../support/view-text.ts'

const MONTH_US = 30 * 86_400_000_000
const WEEK_US = 7 * 86_400_000_000
const LATEST_US = 400 * MONTH_US

/** Returns units of one funnel, `count` per exit. */
function units(exits: [age: number, outcome: string | null, count?: number][]): string {
  const rows = exits.map(([age, outcome, count = 1]) => {
    const entered = outcome === null ? LATEST_US - age * MONTH_US : 0
    const ended = outcome === null ? 'null' : `make_timestamptz(${age * MONTH_US})`
    return `(make_timestamptz(${entered}), ${ended}, '${outcome ?? 'pending'}', ${count})`
  })
  return `select 'f' as funnel, cast(null as varchar) as journey, 1 as version,
      'attempts' as count_by, outcome, entered_at, ended_at, true as is_matured
    from (values ${rows.join(', ')}) as exits (entered_at, ended_at, outcome, times)
    cross join range(400) as copies (copy) where copy < times`
}

const WATERMARK: [string, string] = [
  'batches',
  `select make_timestamptz(${LATEST_US}) as watermark`,
]
const DEFINED: [string, string] = [
  'funnel_definitions',
  `select 'f' as funnel, cast(null as varchar) as journey, 1 as version, 1 as step_no,
    'attempts' as count_by, 1000 as within_ms, '{}' as options`,
]

// Newcombe, Statistics in Medicine 17 (1998), table I, method 3: Wilson's score.
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('the interval of %i of %i equals that of Newcombe', async (converted, all, low, high) => {
  const counted = units([
    [1, 'converted', converted],
    [1, 'dropped', all - converted],
  ])
  const [row] = await viewRows('funnel_conversion', [['funnel_units', counted], DEFINED], 'funnel')
  expect(row).toMatchObject({ matured_count: all, matured_converted_count: converted })
  expect(row?.['matured_rate_low']).toBeCloseTo(low, 4)
  expect(row?.['matured_rate_high']).toBeCloseTo(high, 4)
})

// Satagopan et al., British Journal of Cancer 91 (2004), table 2: deaths from breast cancer among
// 305 patients by months of follow-up, with other causes of death competing. The published values
// are the remaining share and the incidence at each time, in percent with one decimal.
test('conversion by age equals the cumulative incidence of Satagopan', async () => {
  const exits = units([
    [7, null],
    [10, 'converted'],
    [14, null],
    [16, 'converted'],
    [18, 'dropped'],
    [23, 'converted'],
    [24, null],
    [26, 'dropped'],
    [27, 'converted'],
    [300, null, 296],
  ])
  const rows = await viewRows(
    'funnel_conversion_by_age',
    [['funnel_units', exits], WATERMARK],
    'age_ms',
  )
  const percent = (share: number) => Math.round(1_000 * share) / 10
  let before = 0
  const table = rows.map((row) => {
    const converted = Number(row['converted_share'])
    const incidence = percent(converted - before)
    before = converted
    const month = (Number(row['age_ms']) * 1_000) / MONTH_US
    return [month, row['at_risk'], percent(Number(row['open_share'])), incidence]
  })
  expect(table).toEqual([
    [10, 304, 99.7, 0.3],
    [16, 302, 99.3, 0.3],
    [18, 301, 99, 0],
    [23, 300, 98.7, 0.3],
    [26, 298, 98.3, 0],
    [27, 297, 98, 0.3],
  ])
})

const SIX_MP: [weeks: number, hasLeft: boolean][] = [
  ...[6, 6, 6, 7, 10, 13, 16, 22, 23].map((weeks): [number, boolean] => [weeks, true]),
  ...[6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map((weeks): [number, boolean] => [
    weeks,
    false,
  ]),
]
const PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23].map(
  (weeks): [number, boolean] => [weeks, true],
)

/** Returns stays in one state. */
function stays(exits: readonly [weeks: number, hasLeft: boolean][]): string {
  const rows = exits.map(([weeks, hasLeft]) => {
    const entered = hasLeft ? 0 : LATEST_US - weeks * WEEK_US
    const exited = hasLeft ? `make_timestamptz(${weeks * WEEK_US})` : 'null'
    return `(make_timestamptz(${entered}), ${exited})`
  })
  return `select 'j' as journey, 1 as version, 'main' as track, 'remission' as state, 1 as visit,
      false as is_final, entered_at, exited_at
    from (values ${rows.join(', ')}) as exits (entered_at, exited_at)`
}

// Freireich et al. (1963), as printed in Cox and Oakes, Analysis of Survival Data (1984), and with
// the estimates in Kleinbaum and Klein, Survival Analysis, table 2.2: weeks in remission.
test('survival equals that of the 6-MP patients of Freireich', async () => {
  const given: [string, string][] = [['states', stays(SIX_MP)], WATERMARK]
  const rows = await viewRows('survival', given, 'age_ms')
  expect(
    rows.map((row) => [
      (Number(row['age_ms']) * 1_000) / WEEK_US,
      row['at_risk'],
      row['left_count'],
      Math.round(10_000 * Number(row['share_inside'])) / 10_000,
    ]),
  ).toEqual([
    [6, 21, 3, 0.8571],
    [7, 17, 1, 0.8067],
    [10, 15, 1, 0.7529],
    [13, 12, 1, 0.6902],
    [16, 11, 1, 0.6275],
    [22, 7, 1, 0.5378],
    [23, 6, 1, 0.4482],
  ])
})

test.each([
  ['6-MP', SIX_MP, 23, null],
  ['placebo', PLACEBO, 8, 17],
])('the median remission under %s equals that of Freireich', async (_name, exits, median, p90) => {
  const given: [string, string][] = [['states', stays(exits)], WATERMARK]
  const [row] = await viewRows('state_durations', given, 'visit')
  const weeks = (ms: unknown) => (ms === null ? null : (Number(ms) * 1_000) / WEEK_US)
  expect([weeks(row?.['median_ms']), weeks(row?.['p90_ms'])]).toEqual([median, p90])
})
