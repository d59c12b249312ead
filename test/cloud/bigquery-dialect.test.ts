/**
 * Every SQL text that goes over the wire, from the first migration to the last read, is one that
 * Google's own analyzer accepts: what the emulator lets pass is not enough.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { BigQueryClient } from '../../pipeline/bigquery-client.ts'
import { compact, compactionPlan } from '../../pipeline/bigquery-compact.ts'
import { bigqueryWarehouse } from '../../pipeline/bigquery.ts'
import { makeDefinitions, type Release } from '../../pipeline/definitions.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb.ts'
import { forget } from '../../pipeline/forget.ts'
import { arrowTable, supersedeTable, uuidsFromText } from '../../pipeline/arrow.ts'
import { hashes64, uuidOf } from '../../pipeline/ids.ts'
import { landedTable } from '../../pipeline/landed.ts'
import type { Journey } from '../../pipeline/journey.ts'
import { rebuild } from '../../pipeline/rebuild.ts'
import { asOfTexts } from '../../pipeline/relations.ts'
import { ReleaseLog } from '../../pipeline/releases.ts'
import { BATCH_AT, batchOf } from '../batches.ts'
import { Harness } from '../dump.ts'
import { startAnalyzer } from '../zetasql.ts'
import { startBigQuery } from './bigquery-emulator.ts'
import { Proxy, throughProxy } from './proxy.ts'

const MINUTES = 600_000

const emulator = await startBigQuery()
const analyzer = await startAnalyzer([])
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const proxy = new Proxy(emulator?.url ?? '')
afterAll(async () => {
  rmSync(dir, { recursive: true })
  proxy.close()
  await emulator?.stop()
  await analyzer?.stop()
})

/** Statements of a script of ours, which ends each with `;` and a line break. */
const statementsOf = (script: string) =>
  script
    .replaceAll(/--.*$/gm, '')
    .split(/;\n/)
    .map((text) => text.replace(/;$/, '').trim())
const CONTROL = /^(declare|begin|commit|if) /
const CREATION =
  /^create (?:or replace )?(table function|table if not exists|temp table|view) `([^`]+)`(.*)$/s
/** The analyzer does not know table functions: it is given their results as relations. */
const withoutCalls = (sql: string) =>
  sql.replaceAll(/(_as_of`)\((believed_at|timestamp_micros\(\d+\))\)/g, '$1')

async function judge(sql: string): Promise<void> {
  if (analyzer === null) return
  await analyzer.parse(sql)
  for (const statement of statementsOf(sql)) {
    if (CONTROL.test(statement)) continue
    const text = withoutCalls(statement.replaceAll(/\brun_id\b/g, '@run_id'))
    await analyzer.accept(text)
    const [, kind = '', name = '', rest = ''] = CREATION.exec(text) ?? []
    const short = name.split('.').at(-1) as string
    if (kind === 'table if not exists') await analyzer.addView(name, rowOf(rest), short)
    const query = rest.replace(/^\s*as\s/, '')
    if (kind === 'temp table') await analyzer.addView(name, query)
    if (kind === 'view') await analyzer.addView(name, query, short)
    if (kind === 'table function') {
      const body = rest.replace(/^\(believed_at timestamp\) as /, '')
      await analyzer.addView(name, body.replaceAll(/\bbelieved_at\b/g, '@believed_at'))
    }
  }
}

/** A query with the columns of a table, of its DDL. */
function rowOf(ddl: string): string {
  const [, query] = /^ as (.*)$/s.exec(ddl) ?? []
  if (query !== undefined) return query
  const [, list = ''] = /^ \((.*?)\)(?: partition| cluster| options|$)/s.exec(ddl) ?? []
  const columns = list.split(', ').map((column) => {
    const [name, type] = column.split(' ')
    return `cast(null as ${type}) as ${name}`
  })
  return `select ${columns.join(', ')}`
}

const journey = (version: number): Journey => ({
  id: 'walk',
  version,
  initial: 'on',
  states: { on: { on: { A: 'on' }, after: { '1h': 'off' } }, off: { type: 'final' } },
})

test.skipIf(emulator === null || analyzer === null)(
  'the analyzer accepts whatever is sent',
  async () => {
    if (emulator === null) return
    const place = await throughProxy(emulator.place('dialect'), proxy)
    const warehouse = bigqueryWarehouse(place)
    const definitions = makeDefinitions({ journeys: [journey(1)] })
    const harness = new Harness(definitions, warehouse)
    const line = { event_id: 'e', name: 'A', occurred_at: 1, identifiers: { user_id: 'u' } }
    await harness.feed([JSON.stringify(line)])
    const commit = batchOf(2, ['a', 'b'])
    const key = uuidOf('a')
    commit.recordedAt = BATCH_AT * 2
    commit.supersedes.set('event_profile', supersedeTable(uuidsFromText([key]), ['identity']))
    const image = { k: hashes64(['k']), key: ['k'], image: ['{}'] }
    commit.images.set('stream', arrowTable('stream_image', image, 1))
    await warehouse.commit(commit)
    const hashes = hashes64(['e'])
    await ReleaseLog.read(warehouse)
    await warehouse.images('stream', ['k'])
    await warehouse.segments(['s'])
    await warehouse.due(1, 2)
    await warehouse.fingerprints(hashes)
    await warehouse.landed(['e'], hashes)
    await warehouse.deadLetters([key])
    await warehouse.outbox([key])
    const message = { subscription_name: 's', message_id: 'm', publish_time: BATCH_AT }
    const rows = landedTable([{ ...message, data: new Uint8Array([1]), attributes: '{}' }])
    await warehouse.append('landed_messages', rows, BATCH_AT)
    const bounds = { messagesMax: 1, bytesMax: 1 }
    expect(await warehouse.unapplied(bounds)).toHaveLength(1)
    await warehouse.unapplied(bounds)
    for (const { name } of asOfTexts((relation) => relation).slice(0, 2)) {
      await warehouse.query(`select * from ${name}(timestamp_micros(${BATCH_AT}))`)
    }
    const young = makeDefinitions({ journeys: [journey(2)] })
    const scratch = join(dir, 'recomputed.duckdb')
    await rebuild({
      warehouse,
      scratch: { warehouse: () => duckdbWarehouse(scratch), discard: () => Promise.resolve() },
      definitions,
      release: young.releases.find(({ kind }) => kind === 'journey') as Release,
      action: 'promoted',
      by: null,
      reason: 'to see',
      mayChangeLive: true,
    })
    await forget({ warehouse, definitions: young, user: 'u', isPlan: false, isKept: false, at: 0 })
    await warehouse.close()
    const client = await BigQueryClient.connect(place)
    const plan = await compactionPlan(client, place)
    const tables = plan.tables.map((table) => ({ ...table, surplus: 1 }))
    await compact(client, place, { ...plan, tables }, () => undefined)
    const sent = proxy.bodies
      .filter((body) => body.includes('"query":{'))
      .map((body) => JSON.parse(body) as { configuration: { query: { query: string } } })
      .map(({ configuration }) => configuration.query.query)
    expect(sent.length).toBeGreaterThan(15)
    for (const sql of sent) await judge(sql)
    await expect(judge('select nothing from batches_log')).rejects.toThrow('Unrecognized name')
    await expect(judge('begin transaction; commit transition;')).rejects.toThrow('Syntax error')
  },
  MINUTES,
)
