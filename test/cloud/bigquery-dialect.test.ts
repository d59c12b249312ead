/**
 * Google's own analyzer accepts every SQL text that is sent, from the first migration to the last
 * read. The emulator accepts more than BigQuery does.
 */

import { afterAll, expect, test } from 'vitest'
import { BigQueryClient } from '../../pipeline/bigquery/client.ts'
import { compact, compactionPlan } from '../../pipeline/bigquery/compact.ts'
import { bigqueryWarehouse } from '../../pipeline/bigquery/warehouse.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { arrowTable, supersedeTable, uuidsFromText } from '../../pipeline/warehouse/arrow/arrow.ts'
import { hashes64, uuidOf } from '../../pipeline/base/hash.ts'
import { landedTable } from '../../pipeline/io/inbox-source.ts'
import { ReleaseLog } from '../../pipeline/warehouse/release-log.ts'
import { BATCH_AT, batchOf } from '../support/batches.ts'
import { Harness } from '../support/dump.ts'
import { startAnalyzer } from '../support/zetasql.ts'
import { startBigQuery } from '../../scripts/emulators/bigquery-emulator.ts'
import { judge, sentThrough } from './judge.ts'
import { Proxy, throughProxy } from './proxy.ts'

const MINUTES = 600_000

const emulator = await startBigQuery()
const analyzer = await startAnalyzer([])
const proxy = new Proxy(emulator?.url ?? '')
afterAll(async () => {
  proxy.close()
  await emulator?.stop()
  await analyzer?.stop()
})

test.skipIf(emulator === null || analyzer === null)(
  'the analyzer accepts everything that is sent',
  async () => {
    if (emulator === null || analyzer === null) return
    const place = await throughProxy(emulator.place('dialect'), proxy)
    const warehouse = bigqueryWarehouse(place)
    const harness = new Harness(makeDefinitions({ journeys: [] }), warehouse)
    await harness.feed(['{"event_id":"e","name":"A","occurred_at":1,"source":"web"}'])
    const commit = batchOf(2, ['a', 'b'])
    const key = uuidOf('a')
    commit.recordedAt = BATCH_AT * 2
    const because = { values: ['identity'], codes: new Int32Array(1) }
    commit.supersedes.set('event_profile', supersedeTable(uuidsFromText([key]), because))
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
    for (const view of ['sessions', 'states']) {
      await warehouse.query(`select * from ${warehouse.asOf(view, BATCH_AT)} where ? = 'x'`, ['x'])
    }
    await warehouse.close()
    const client = await BigQueryClient.connect(place)
    const plan = await compactionPlan(client, place)
    const tables = plan.tables.map((table) => ({ ...table, surplus: 1 }))
    await compact(client, place, { ...plan, tables }, () => undefined)
    const sent = sentThrough(proxy)
    expect(sent.size).toBeGreaterThan(15)
    for (const sql of sent) await judge(analyzer, sql)
    const told = (sql: string) => expect(judge(analyzer, sql)).rejects
    await told('select nothing from batches_log').toThrow('Unrecognized name')
    await told('begin transaction; commit transition;').toThrow('Syntax error')
  },
  MINUTES,
)
