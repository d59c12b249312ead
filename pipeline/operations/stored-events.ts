/**
 * Events as they are on record, read back: as lines of the native form, decoded once more.
 *
 * What is read is as it landed: hashed values are not hashed again, `received_at` is kept, and
 * what has been accepted once is judged neither by event definitions nor by limits of size again.
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

/** What `lineOf` writes down, columns of `events`. */
export const STORED_COLUMNS = [...PLAIN, ...INSTANTS, ...JSONS]

/** Events and characters that are processed at once. */
export const STORED_EVENTS_MAX = 5_000
export const STORED_UNITS_MAX = 8 * 1024 * 1024

/** The event in its native form; what landed as JSON stays the text it is. */
export function lineOf(row: Row): string {
  const text = (name: string) => `"${name}":${JSON.stringify(row[name])}`
  const instant = (name: string) => `"${name}":"${formatInstant(row[name] as number)}"`
  const json = (name: string) => `"${name}":${(row[name] as string | null) ?? 'null'}`
  const members = [...PLAIN.map(text), ...INSTANTS.map(instant), ...JSONS.map(json)]
  return `{${members.join(',')}}`
}

/** A decoder of native lines whose identifiers are as they land. */
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
 * Decodes lines of stored events; `refusals` are those whom the definitions leave without an
 * identifier: they are in no derived table. Throws a `UserError` when one cannot be read back.
 */
export function decodeStored(decoder: ChunkDecoder, lines: Uint8Array, at: number): EventBatch {
  const batch = decoder.decode(lines, at)
  const refusal = batch.refusals.find(({ reason }) => reason !== 'no_identifier')
  if (refusal === undefined) return batch
  throw new UserError(`a stored event cannot be read back: ${refusal.detail}`)
}

/** Values from one, exclusive, up to another, inclusive; null is no bound. */
export type Range<T> = { after: T | null; upTo: T | null }

/** Events that a warehouse is asked for at once, so that it can sort them in little memory. */
const RANGE_EVENTS = 80_000

/**
 * Cuts what comes after a value into ranges. `counted` has `bound` in ascending order, and how
 * many `events` there are from the one before up to it.
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

/** How many events have landed. */
export async function countOf(warehouse: Warehouse): Promise<number> {
  const [row] = await warehouse.query('select count(*) as events from events')
  return row?.['events'] as number
}
