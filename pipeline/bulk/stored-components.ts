/** Components of stored events. */

import type { StoredDecoder } from '../decode/stored-decoder.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { Components } from './components.ts'

/** Connects the identifiers of each stored event, and of the corrections. `isInside` is the condition
 * that an event of `events` is among them. */
export async function connectStored(
  components: Components,
  warehouse: Pick<Warehouse, 'stream'>,
  decoder: StoredDecoder,
  isInside: string,
): Promise<void> {
  const columns = 'identifiers, alias, unlink'
  const sql = `select ${columns}, count(*) as events from events where ${isInside}
    group by ${columns}`
  for await (const rows of warehouse.stream(sql)) {
    for (const row of rows) {
      const named = decoder.identifiersOf(row['identifiers'] as string)
      const names = named.filter((name) => name !== undefined)
      // An event without an identifier is in no derived table, and its corrections do not count.
      if (names.length === 0) continue
      for (const { a, b } of decoder.correctionsOf(row)) names.push(a, b)
      components.add(names, row['events'] as number)
    }
  }
}
