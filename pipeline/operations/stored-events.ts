/**
 * Reads stored events from their columns: as a batch that can land, or as columns that tables are
 * derived from.
 */

import type { EventBatch } from '../decode/event-batch.ts'
import { BatchBuilder, landedTexts } from '../decode/event-batch-builder.ts'
import type { DecodedEvent } from '../decode/event-columns-builder.ts'
import { splitIdentifier } from '../decode/identifier-values.ts'
import type { StoredDecoder } from '../decode/stored-decoder.ts'
import type { Row } from '../warehouse/warehouse.ts'

/** Columns of `events` that make an event. */
export const STORED_COLUMNS = [
  'event_id',
  'name',
  'source',
  'ordinal',
  'occurred_at',
  'received_at',
  'identifiers',
  'properties',
  'context',
  'alias',
  'unlink',
]

/** Returns the columns of `events` that tables are derived from. */
export function derivedColumns({ operandColumns }: StoredDecoder): string[] {
  const plain = ['event_id', 'name', 'source', 'ordinal', 'occurred_at', 'identifiers']
  return [...plain, 'alias', 'unlink', ...operandColumns]
}

/** Events and characters processed at once. */
export const STORED_EVENTS_MAX = 5_000
export const STORED_UNITS_MAX = 8 * 1024 * 1024

/** Returns the event of a row with the `derivedColumns`, or null if it carries no identifier under
 * the definitions: it is in no derived table then. */
export function derivedEvent(row: Row, decoder: StoredDecoder): DecodedEvent | null {
  const identifiers = decoder.identifiersOf(row['identifiers'] as string)
  if (!identifiers.some((one) => one !== undefined)) return null
  return {
    eventId: row['event_id'] as string,
    name: row['name'] as string,
    source: row['source'] as string,
    occurredAt: row['occurred_at'] as number,
    ordinal: row['ordinal'] as number,
    identifiers,
    operands: decoder.operandsOf(row),
    corrections: decoder.correctionsOf(row),
  }
}

/** Returns rows with the `STORED_COLUMNS` as a batch. Leaves out those that carry no identifier
 * under the definitions. */
export function storedBatch(rows: readonly Row[], decoder: StoredDecoder): EventBatch {
  const builder = new BatchBuilder(decoder.namespaces, () => false, decoder.operandCount)
  for (const row of rows) {
    const event = derivedEvent(row, decoder)
    if (event === null) continue
    const [properties, context] = [row['properties'] as string, row['context'] as string]
    const canonical = {
      ...event,
      waited: undefined,
      receivedAt: row['received_at'] as number,
      identifiers: JSON.parse(row['identifiers'] as string),
      who: event.identifiers.map((name) => splitIdentifier(name)?.[1] ?? null),
      properties: {},
      context: {},
      alias: parsedOrNull(row['alias']),
      unlink: parsedOrNull(row['unlink']),
    }
    const at = builder.add(canonical, landedTexts(canonical, properties, context), 0, 0)
    event.operands.forEach((value, o) => builder.operands[o]?.push(value))
    builder.corrections.push(...event.corrections.map((correction) => ({ ...correction, row: at })))
  }
  return builder.take(new Uint8Array(0))
}

function parsedOrNull(text: unknown) {
  return typeof text === 'string' ? JSON.parse(text) : null
}

/** Values after `after`, up to and including `upTo`; null is unbounded. */
export type Range<T> = { after: T | null; upTo: T | null }

/** Events per query, so that the engine sorts them in little memory. */
const RANGE_EVENTS = 80_000

/**
 * Cuts the values after `after` into ranges. `counted` yields `bound` in ascending order, with the
 * number of `events` between the previous bound and it.
 */
export async function rangesOf<T>(
  counted: AsyncIterable<Row[]>,
  after: T | null,
): Promise<{ ranges: Range<T>[]; total: number }> {
  const ranges: Range<T>[] = []
  let total = 0
  let events = 0
  let from = after
  for await (const rows of counted) {
    for (const row of rows) {
      events += row['events'] as number
      total += row['events'] as number
      if (events < RANGE_EVENTS) continue
      const upTo = row['bound'] as T
      ranges.push({ after: from, upTo })
      from = upTo
      events = 0
    }
  }
  if (events > 0) ranges.push({ after: from, upTo: null })
  return { ranges, total }
}
