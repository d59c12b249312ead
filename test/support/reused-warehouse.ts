/**
 * Warehouses in memory for tests. Making one takes a tenth of a second, emptying one a hundredth:
 * whoever closes it gives it back, and the next test gets it as a new one. Those whose schema is
 * changed, or whose reads are counted, are made by the tests themselves.
 */

import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'

const free = new Set<Warehouse>()

/** Not open, and without a row. */
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
    'select schema_name, table_name from duckdb_tables() where not temporary',
  )
  const truncates = tables.map((row) => `truncate ${row['schema_name']}.${row['table_name']}`)
  await warehouse.query(['begin', ...truncates, 'commit'].join(';\n'))
}
