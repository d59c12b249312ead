/** The BigQuery emulator answers requests that arrive at the same time, see `bigquery-emulator.py`. */

import { afterAll, expect, test } from 'vitest'
import { BigQueryClient } from '../../pipeline/bigquery/client.ts'
import { atOf } from '../../pipeline/bigquery/migrate.ts'
import { createTable, physicalTables } from '../../pipeline/bigquery/schema.ts'
import { Stager } from '../../pipeline/bigquery/write-stream.ts'
import { landedTable } from '../../pipeline/io/inbox-source.ts'
import { startBigQuery } from '../../scripts/emulators/bigquery-emulator.ts'

const TABLE = 'landed_messages'
const WRITERS = 3
const READERS = 3
const APPENDS = 60
const AT = 1_772_445_600_000_000

const emulator = await startBigQuery()
afterAll(() => emulator?.stop())

test.skipIf(emulator === null)('the emulator answers queries during appends', async () => {
  const place = emulator?.place('at_once') ?? { project: '', dataset: '' }
  const client = await BigQueryClient.connect(place)
  const stager = await Stager.connect(place)
  await client.makeDataset(undefined)
  const table = physicalTables().find(({ name }) => name === TABLE)
  if (table === undefined) throw new Error(`${TABLE} is not a table`)
  await client.query('migrate', createTable(table, atOf(place)))

  let isWriting = true
  const write = async (subscription_name: string) => {
    for (let i = 0; i < APPENDS; i++) {
      const message_id = String(i)
      const data = Buffer.from('{}')
      const message = {
        subscription_name,
        message_id,
        publish_time: AT + i,
        data,
        attributes: '{}',
      }
      await stager.append(TABLE, landedTable([message]), AT)
    }
  }
  const read = async () => {
    const counts = `select count(*) as n from ${TABLE} cross join unnest(generate_array(1, 1000))`
    while (isWriting) await client.query('read', counts)
  }
  const readers = Array.from({ length: READERS }, read)
  await Promise.all(Array.from({ length: WRITERS }, (_, k) => write(`writer ${k}`)))
  isWriting = false
  await Promise.all(readers)

  const [row] = await client.query('read', `select count(*) as n from ${TABLE}`)
  await stager.close()
  expect(row).toEqual({ n: WRITERS * APPENDS })
})
