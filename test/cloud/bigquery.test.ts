/** Contract of warehouses on the BigQuery emulator. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bigqueryWarehouse } from '../../pipeline/bigquery/warehouse.ts'
import { BigQueryClient } from '../../pipeline/bigquery/client.ts'
import { takeoverContract } from '../warehouse/takeover.contract.ts'
import { warehouseContract } from '../warehouse/warehouse.contract.ts'
import { emptyDataset } from '../../scripts/emulators/empty-dataset.ts'
import { startBigQuery } from '../../scripts/emulators/bigquery-emulator.ts'

const emulator = await startBigQuery()
afterAll(() => emulator?.stop())

const MINUTES = 300_000

describe.skipIf(emulator === null)('the BigQuery warehouse', () => {
  beforeAll(() => emulator && emptyDataset(emulator.place('contract')), MINUTES)

  const make = async () => {
    if (emulator === null) throw new Error('the emulator is not running')
    const place = emulator.place('contract')
    await emptyDataset(place)
    const warehouse = bigqueryWarehouse(place)
    const reopen = async () => {
      await warehouse.close()
      return bigqueryWarehouse(place)
    }
    return { warehouse, reopen }
  }
  warehouseContract('BigQuery', make)
  takeoverContract('BigQuery', make)

  test('read-only access does not create a dataset', async () => {
    if (emulator === null) return
    const place = emulator.place('nowhere')
    const asked = bigqueryWarehouse(place, 'refuse')
    await expect(asked.open()).rejects.toThrow(`no warehouse at ${asked.url}: check the name`)
    expect(await (await BigQueryClient.connect(place)).tables()).toBe(null)
  })
})
