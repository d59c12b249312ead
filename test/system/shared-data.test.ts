/**
 * Public event logs, beside the checkout or in the folder DESIRE_PATH_SHARED: a shop and a web
 * server. Tests are skipped without them.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { Harness } from '../support/dump.ts'

const DATA = process.env['DESIRE_PATH_SHARED'] ?? '../shared/data'
const has = (name: string) => existsSync(join(DATA, name))
if (!existsSync(DATA)) console.log(`skipped: no cases by others at ${DATA}`)

const read = (name: string) => {
  const bytes = readFileSync(join(DATA, name))
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
}

describe.skipIf(!has('log-retentioneering-ecom'))('a shop of 2019', () => {
  test('a gap of 30 minutes gives exactly its 3,605 sessions', async () => {
    const [header = '', ...rows] = read('log-retentioneering-ecom/ecom.csv.gz').trim().split('\n')
    const columns = header.trim().split(',')
    const given = new Map<string, Set<string>>()
    const lines = rows.map((row, i) => {
      const cells = Object.fromEntries(
        row
          .trim()
          .split(',')
          .map((cell, c) => [columns[c], cell]),
      )
      const session = `${cells['user_id']} ${cells['session_id']}`
      const eventId = `e${i}`
      given.set(session, (given.get(session) ?? new Set()).add(eventId))
      return JSON.stringify({
        event_id: eventId,
        name: cells['event'],
        occurred_at: `${cells['timestamp']?.replace(' ', 'T')}Z`,
        ordinal: i,
        identifiers: { user_id: `user-${cells['user_id']}` },
      })
    })
    const harness = new Harness(makeDefinitions({}))
    for (let from = 0; from < lines.length; from += 7_000) {
      await harness.feed(lines.slice(from, from + 7_000))
    }
    const ours = new Map<unknown, Set<string>>()
    for (const row of await harness.warehouse.query(
      'select event_id, session_id from event_profiles',
    )) {
      const session = row['session_id']
      ours.set(session, (ours.get(session) ?? new Set()).add(row['event_id'] as string))
    }
    const sets = (sessions: Iterable<Set<string>>) =>
      [...sessions].map((events) => [...events].sort().join(' ')).sort()
    expect(ours.size).toBe(3_605)
    expect(sets(ours.values())).toEqual(sets(given.values()))
    await harness.warehouse.close()
  })
})

describe.skipIf(!has('log-apache-elastic'))('a web server of 2015', () => {
  test('every line lands once, and every event belongs to one session of its visitor', async () => {
    const [header = '', ...rows] = read('log-apache-elastic/events.csv.gz').trim().split('\n')
    const columns = header.trim().split(',')
    const lines = rows.map((row) => {
      const cells = Object.fromEntries(
        row
          .trim()
          .split(',')
          .map((cell, c) => [columns[c], cell]),
      )
      return JSON.stringify({
        event_id: `line-${cells['line']}`,
        name: cells['method'],
        occurred_at: instantOf(cells['ts'] ?? ''),
        identifiers: { anonymous_id: cells['visitor'] },
        properties: { path: cells['path'], status: Number(cells['status']) },
      })
    })
    const harness = new Harness(makeDefinitions({}))
    const outcome = await harness.feed(lines)
    expect(outcome).toMatchObject({ read: lines.length, landed: lines.length, duplicates: 0 })
    const [sums] = await harness.warehouse.query(
      `select sum(event_count)::bigint as events, count(distinct profile_id) as visitors
       from sessions`,
    )
    const visitors = new Set(rows.map((row) => row.split(',')[2])).size
    expect(sums).toEqual({ events: lines.length, visitors })
    await harness.warehouse.close()
  })
})

/** Returns epoch numbers unchanged, and texts as RFC 3339. */
function instantOf(text: string): string | number {
  if (/^\d{10}$/.test(text)) return Number(text) * 1_000
  if (/^\d+$/.test(text)) return Number(text)
  const iso = text.replace(' ', 'T')
  return /(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`
}
