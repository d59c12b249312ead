/**
 * Warehouses in memory for tests. Creating one takes a tenth of a second, emptying one a hundredth,
 * so closed ones are emptied and reused. Tests that change the schema or count reads create their
 * own.
 */

import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'

const free = new Set<Warehouse>()

/** Returns a closed warehouse without rows. */
export function emptyWarehouse(): Warehouse {
  for (const warehouse of free) {
    free.delete(warehouse)
    return warehouse
  }
  const warehouse = duckdbWarehouse(':memory:')
  warehouse.close = async () => {
    if (free.has(warehouse)) return
    await empty(warehouse)
    free.add(warehouse)
  }
  return warehouse
}

async function empty(warehouse: Warehouse): Promise<void> {
  await warehouse.open()
  const tables = await warehouse.query(
    `select schema_name, table_name from duckdb_tables()
     where not temporary and estimated_size > 0`,
  )
  const truncates = tables.map((row) => `truncate ${row['schema_name']}.${row['table_name']}`)
  await warehouse.query(['begin', ...truncates, 'commit'].join(';\n'))
}
