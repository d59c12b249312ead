/** The queries that the page copies return the numbers that it shows. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { blockSql, BLOCKS, type BlockName } from '../../../scripts/report/block-sql.ts'
import { blockRows } from '../../../scripts/report/client/block-rows.ts'
import { csvOf } from '../../../scripts/report/client/csv.ts'
import { slicedOf } from '../../../scripts/report/client/sliced.ts'
import { collect } from '../../../scripts/report/collect/collect.ts'
import { DAY_MS, EVERYTHING, type Slice } from '../../../scripts/report/cube/cube.ts'
import { eventValue } from '../../../scripts/report/event-value.ts'
import type { JourneyPart, ReportDocument, TrackPart } from '../../../scripts/report/document.ts'
import { BASE, busyWarehouse } from '../../support/report/report-data.ts'

const BY = 'properties.plan'
let warehouse: Warehouse
let report: ReportDocument

beforeAll(async () => {
  warehouse = await busyWarehouse()
  report = await collect(warehouse, 'order', BY)
})
afterAll(() => warehouse.close())

const SLICE = { ...EVERYTHING, from: BASE + DAY_MS, to: BASE + 3 * DAY_MS, source: 'web' }
const GROUP = { ...SLICE, source: null, group: 'paid' }

async function numbersOf(name: BlockName, slice: Slice) {
  const [journey] = report.journeys as [JourneyPart]
  const track = journey.tracks[0] as TrackPart
  const value = eventValue(BY, warehouse.url)
  const sql = blockSql(name, { journey: journey.id, track: track.name, slice, value })
  const shown = blockRows(name, slicedOf(report, journey, track, slice))
  return { asked: await warehouse.query(sql), shown }
}

/** The columns of each block that its query has too. */
const SHARED: [BlockName, string[]][] = [
  ['map', ['from_state', 'to_state', 'cause', 'times']],
  ['funnel', ['funnel', 'step_no', 'reached', 'converted', 'dropped', 'pending']],
  ['cycles', ['path', 'times', 'total_duration_ms']],
  ['variants', ['path', 'runs']],
  ['next', ['drop_off', 'from_state', 'to_state', 'next_state', 'drop_off_count', 'share']],
  ['rework', ['state', 'entry_count', 'self_loop_count', 'repeat_count', 'rework_rate']],
  ['durations', ['state', 'visit', 'completed_count', 'median_ms', 'p90_ms']],
]

test.each(SHARED)('the query of block %s returns what the block shows', async (name, columns) => {
  for (const slice of name === 'durations' ? [EVERYTHING] : [EVERYTHING, SLICE, GROUP]) {
    const { asked, shown } = await numbersOf(name, slice)
    const texts = asked
      .filter((row) => row['cause'] !== 'start' && row['completed_count'] !== 0n)
      .map((row) => columns.map((column) => String(row[column] ?? '')).join(' '))
    const at = columns.map((column) => shown.titles.indexOf(column))
    const rows = shown.rows.map((row) => at.map((i) => String(row[i] ?? '')).join(' '))
    const isShown = (text: string) => name !== 'durations' || rows.includes(text)
    expect(rows.length).toBeGreaterThan(0)
    expect(texts.filter(isShown).sort()).toEqual(
      rows.filter((row) => !row.endsWith(' 0 0 0 0')).sort(),
    )
  }
})

test.each([SLICE, GROUP])(
  'the query of times in state returns the counts behind the ages',
  async (slice) => {
    const { asked, shown } = await numbersOf('durations', slice)
    const completed = (state: string, visit: number) =>
      asked
        .filter((row) => row['visit_and_state'] === `${visit} ${state}` && row['kind'] === 'left')
        .reduce((total, row) => total + Number(row['times']), 0)
    expect(shown.rows.length).toBeGreaterThan(3)
    for (const [state, visit, count] of shown.rows) {
      expect(completed(String(state), Number(visit))).toBe(count)
    }
  },
)

test('a name with a quote or a backslash stays a text', async () => {
  const place = { journey: `it's a \\ name`, track: 'main', slice: EVERYTHING, value: null }
  for (const name of BLOCKS) {
    const rows = await warehouse.query(blockSql(name, place))
    // Funnels by events and corrections of sessions belong to no journey.
    expect(
      rows.filter(({ funnel, view_name }) => funnel !== 'quick' && view_name !== 'sessions'),
    ).toEqual([])
  }
})

test.each([`it's`, 'say "hi"', 'two\nlines', 'back\\slash'])(
  'the value of a property named %j is read',
  async (name) => {
    const value = eventValue(`properties.${name}`, 'duckdb:x')
    const json = JSON.stringify({ [name]: 'found' }).replaceAll("'", "''")
    const rows = await warehouse.query(
      `select ${value} as value from (select cast('${json}' as json) as properties) as events`,
    )
    expect(rows).toEqual([{ value: 'found' }])
  },
)

test('a property that no event has is refused with those that events have', async () => {
  await expect(collect(warehouse, 'order', `properties.pl"an`)).rejects.toThrow(
    `--by "properties.pl\\"an": no event in ${warehouse.url} has a value there; ` +
      'choose one of source, name, properties.plan',
  )
})

test('CSV quotes its fields, and no cell is a formula', () => {
  const rows = [
    ['=1+1', 'a,b', 'say "hi"', -1, null],
    ['+x', '\u0040y', 'two\nlines', 0.5, ''],
  ]
  expect(csvOf({ titles: ['a', 'b', 'c', 'd', 'e'], rows })).toBe(
    'a,b,c,d,e\r\n' + `'=1+1,"a,b","say ""hi""",-1,\r\n` + `'+x,'@y,"two\nlines",0.5,\r\n`,
  )
})
