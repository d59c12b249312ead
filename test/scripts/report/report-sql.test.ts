/** The queries that the page copies return the numbers that it shows. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { blockSql, BLOCKS, type BlockName } from '../../../scripts/report/block-sql.ts'
import { blockRows } from '../../../scripts/report/client/block-rows.ts'
import { csvOf } from '../../../scripts/report/client/csv.ts'
import { slicedOf } from '../../../scripts/report/client/sliced.ts'
import { collect } from '../../../scripts/report/collect/collect.ts'
import { DAY_MS, EVERYTHING, type Slice } from '../../../scripts/report/cube/cube.ts'
import type { JourneyPart, ReportDocument, TrackPart } from '../../../scripts/report/document.ts'
import { BASE, busyWarehouse } from '../../support/report/report-data.ts'

let warehouse: Warehouse
let report: ReportDocument

beforeAll(async () => {
  warehouse = await busyWarehouse()
  report = await collect(warehouse, 'order')
})
afterAll(() => warehouse.close())

const SLICE = { ...EVERYTHING, from: BASE + DAY_MS, to: BASE + 3 * DAY_MS, source: 'web' }

async function numbersOf(name: BlockName, slice: Slice) {
  const [journey] = report.journeys as [JourneyPart]
  const track = journey.tracks[0] as TrackPart
  const sql = blockSql(name, { journey: journey.id, track: track.name, slice })
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
  for (const slice of [EVERYTHING, SLICE]) {
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

test('a name with a quote or a backslash stays a text', async () => {
  const place = { journey: `it's a \\ name`, track: 'main', slice: EVERYTHING }
  for (const name of BLOCKS) {
    const rows = await warehouse.query(blockSql(name, place))
    // Funnels by events and corrections of sessions belong to no journey.
    expect(
      rows.filter(({ funnel, view_name }) => funnel !== 'quick' && view_name !== 'sessions'),
    ).toEqual([])
  }
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
