/** Temporary warehouse of one command, in a directory that is removed afterwards. */

import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { withTemporary } from './temporary.ts'
import { ASKING } from '../../pipeline/duckdb/resource-limits.ts'

export async function withScratch<T>(work: (scratch: Warehouse) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'desire-path-'))
  const scratch = duckdbWarehouse(join(dir, 'scratch.duckdb'), { means: ASKING })
  return withTemporary(dir, async () => {
    try {
      await scratch.open()
      return await work(scratch)
    } finally {
      await scratch.close()
    }
  })
}
