/**
 * Reads stored events back as lines in the native format and decodes them.
 *
 * Stored values are final: hashed values are not hashed again, `received_at` is kept, and accepted
 * events are not checked against event definitions or size limits again.
 */

import type { EventBatch } from '../decode/event-batch.ts'
import { formatInstant } from '../base/clock.ts'
import { ChunkDecoder } from '../decode/decode.ts'
import { UserError } from '../base/errors.ts'
import type { Identity } from '../definition/settings.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

const PLAIN = ['event_id', 'name', 'source', 'ordinal']
const INSTANTS = ['occurred_at', 'received_at']
const JSONS = ['identifiers', 'properties', 'context', 'alias', 'unlink']

/** Columns of `events` that `lineOf` writes. */
export const STORED_COLUMNS = [...PLAIN, ...INSTANTS, ...JSONS]

/** Events and characters processed at once. */
export const STORED_EVENTS_MAX = 5_000
export const STORED_UNITS_MAX = 8 * 1024 * 1024

/** Returns the event in the native format. Members stored as JSON keep their text. */
export function lineOf(row: Row): string {
  const text = (name: string) => `"${name}":${JSON.stringify(row[name])}`
  const instant = (name: string) => `"${name}":"${formatInstant(row[name] as number)}"`
  const json = (name: string) => `"${name}":${(row[name] as string | null) ?? 'null'}`
  const members = [...PLAIN.map(text), ...INSTANTS.map(instant), ...JSONS.map(json)]
  return `{${members.join(',')}}`
}

/** Returns a decoder of native lines whose identifiers are already hashed. */
export function landedDecoder(identity: Identity, operandPaths: string[]): ChunkDecoder {
  return new ChunkDecoder({
    identity: { ...identity, hashed: [] },
    operandPaths,
    format: 'native',
    events: { events: {} },
    hashKey: undefined,
    isOnRecord: true,
  })
}

/**
 * Decodes lines of stored events. `refusals` has the events that carry no identifier under the
 * definitions; they are in no derived table. Throws a `UserError` for any other refusal.
 */
export function decodeStored(decoder: ChunkDecoder, lines: Uint8Array, at: number): EventBatch {
  const batch = decoder.decode(lines, at)
  const refusal = batch.refusals.find(({ reason }) => reason !== 'no_identifier')
  if (refusal === undefined) return batch
  throw new UserError(`a stored event cannot be decoded: ${refusal.detail}`)
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

/** Returns the number of landed events. */
export async function countOf(warehouse: Warehouse): Promise<number> {
  const [row] = await warehouse.query('select count(*) as events from events')
  return row?.['events'] as number
}
