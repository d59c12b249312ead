/**
 * Tests as text tables: a line is an event, and after `->` what the tables contain for it in the
 * end.
 *
 * ```
 *   at     anonymous_id  user_id  event          -> session  profile     checkout
 *   10:00  a1            -        Product Added     e1       user_id:u7  cart
 * ```
 *
 * Events are e1, e2 … in line order, which is the arrival order; `-` is empty. Columns before `->`:
 * `at` (a time on 1 March 2026, `+2d,10:00` for later), identifier namespaces,
 * `event`, `source`, `props` and `context` (JSON), `alias`, `unlink` (`a,b`), `ordinal`.
 * Columns after it: `session`, `profile`, `because` (of the session the event starts), `refused`
 * (the identifier whose link was), and by the id of a journey the state that the event's
 * transition entered, tracks as `track.state`, several joined by `+`; `!reason` for a rejection.
 * Lines that begin with `then` are `profile journey state`: the stays that are open at the end.
 */

import { expect } from 'vitest'
import type { Identity, Sessions } from '../../../pipeline/definition/settings.ts'
import type { Journey } from '../../../pipeline/definition/journey.ts'
import { makeDefinitions } from '../../../pipeline/definition/load.ts'
import { parseInstant } from '../../../pipeline/base/clock.ts'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { Harness } from '../dump.ts'

export type Setting = {
  identity?: Partial<Identity>
  sessions?: Partial<Sessions>
  journeys?: Journey[]
  /** Watermark that decides timeouts, written like `at`. */
  watermark?: string
}

const DAY = 86_400_000
const BASE = 1_772_323_200_000

/** Returns epoch milliseconds of `10:00`, `10:00:30` or `+2d 10:00` (`+2d,10:00` in a table). */
export function instantOf(text: string): number {
  const parts = /^(?:\+(\d+)d,?)?(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?$/.exec(text)
  if (parts === null) throw new Error(`${text} is not a time`)
  const [, days = '0', hours, minutes, seconds = '0'] = parts
  const clock = Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000
  return BASE + Number(days) * DAY + clock
}

export type Line = { given: { [column: string]: string }; expected: { [column: string]: string } }

/** Returns the lines of a table, and what stands after `then`. */
export function parse(table: string): { lines: Line[]; standing: string[] } {
  const rows = table
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const standing = rows.filter((row) => row.startsWith('then ')).map((row) => row.slice(5))
  const [header = '', ...body] = rows.filter((row) => !row.startsWith('then '))
  const names = header.split(/\s{2,}|\s(?=->)|(?<=->)\s+/).filter((name) => name !== '')
  const arrow = names.indexOf('->')
  const columns = names.filter((name) => name !== '->')
  const lines = body.map((row): Line => {
    const cells = row.split(/\s{2,}/)
    if (cells.length !== columns.length) {
      throw new Error(`${cells.length} cells for ${columns.length} columns: ${row}`)
    }
    const pick = (from: number, to: number) =>
      Object.fromEntries(columns.slice(from, to).map((name, i) => [name, cells[from + i] ?? '-']))
    const split = arrow < 0 ? columns.length : arrow
    return { given: pick(0, split), expected: pick(split, columns.length) }
  })
  return { lines, standing }
}

const OWN = ['at', 'event', 'source', 'props', 'context', 'alias', 'unlink', 'ordinal']

function wire({ given }: Line, number: number): string {
  const cell = (name: string) => (given[name] === '-' ? undefined : given[name])
  const json = (name: string): unknown => JSON.parse(cell(name) ?? 'null')
  const namespaces = Object.entries(given).filter(([name]) => !OWN.includes(name))
  return JSON.stringify({
    event_id: `e${number}`,
    name: cell('event') ?? 'Seen',
    occurred_at: instantOf(cell('at') as string),
    ordinal: cell('ordinal') === undefined ? undefined : Number(cell('ordinal')),
    source: cell('source'),
    identifiers: Object.fromEntries(namespaces.filter(([, value]) => value !== '-')),
    properties: json('props') ?? undefined,
    context: json('context') ?? undefined,
    alias: cell('alias')?.split(','),
    unlink: cell('unlink')?.split(','),
  })
}

/** Returns what the tables contain for event `e<number>`, in the notation of the table. */
async function said(warehouse: Warehouse, column: string, eventId: string): Promise<string> {
  const ask = async (sql: string) =>
    (await warehouse.query(sql, [eventId])).map((row) => String(Object.values(row)[0]))
  const profiles = 'event_profiles where event_id = ?'
  if (column === 'session') return (await ask(`select session_id from ${profiles}`))[0] ?? '-'
  if (column === 'profile') return (await ask(`select profile_id from ${profiles}`))[0] ?? '-'
  if (column === 'because') {
    return (await ask('select started_because from sessions where session_id = ?'))[0] ?? '-'
  }
  if (column === 'refused') {
    const conflicts = 'identity_conflicts where event_id = ? order by refused'
    return (await ask(`select refused from ${conflicts}`)).join('+') || '-'
  }
  const moved = await ask(
    `select case when track = 'main' then to_state else track || '.' || to_state end
     from transitions where event_id = ? and journey = '${column}' and cause = 'event'
     order by seq`,
  )
  const refused = await ask(
    `select '!' || reason from rejections where event_id = ? and journey = '${column}'`,
  )
  return [...moved, ...refused].join('+') || '-'
}

/** Returns a warehouse fed with these batches, with timeouts decided as set. */
async function fed(batches: string[][], setting: Setting): Promise<Harness> {
  const harness = new Harness(makeDefinitions(setting))
  for (const batch of batches) await harness.feed(batch)
  if (setting.watermark !== undefined) {
    await harness.feed([], parseInstant(instantOf(setting.watermark)) as number)
  }
  return harness
}

/** Returns a warehouse fed with the table's events, one batch per line. */
export async function tell(table: string, setting: Setting = {}): Promise<Harness> {
  return fed(
    parse(table).lines.map((line, i) => [wire(line, i + 1)]),
    setting,
  )
}

/** Feeds the table's events one per batch and again all in one, and compares the tables. */
export async function check(table: string, setting: Setting = {}): Promise<void> {
  const { lines, standing } = parse(table)
  const all = lines.map((line, i) => wire(line, i + 1))
  for (const batches of [all.map((line) => [line]), [all], [all.toReversed()]]) {
    const harness = await fed(batches, setting)
    const actual: Line['expected'][] = []
    for (const [i, { expected }] of lines.entries()) {
      const row: Line['expected'] = {}
      for (const column of Object.keys(expected)) {
        row[column] = await said(harness.warehouse, column, `e${i + 1}`)
      }
      actual.push(row)
    }
    expect(actual).toEqual(lines.map(({ expected }) => expected))
    if (standing.length > 0) expect(await openStays(harness.warehouse)).toEqual(standing)
    await harness.warehouse.close()
  }
}

async function openStays(warehouse: Warehouse): Promise<string[]> {
  const rows = await warehouse.query(
    `select profile_id || ' ' || journey || ' ' ||
       string_agg(case when track = 'main' then state else track || '.' || state end, '+'
         order by track) as line
     from states where exited_at is null
     group by profile_id, journey, instance_id order by line`,
  )
  return rows.map((row) => row['line'] as string)
}
