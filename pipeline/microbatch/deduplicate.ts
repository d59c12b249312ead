/**
 * Deduplication: decides which events of a batch are new, which are redelivered, and which reuse
 * the id of a different event. This is the only place where events are accepted.
 *
 * An event that equals a stored one in everything except `received_at` is dropped and counted.
 * Decoded values are compared: lines that differ only in spacing or member order are the same
 * event.
 */

import { contentAt, CONTEXT, IDENTIFIERS, PROPERTIES } from '../decode/content-builder.ts'
import type { EventBatch, Refusal } from '../decode/event-batch.ts'
import { EventIndex, RowsById } from '../base/event-index.ts'
import { textAt } from '../base/columns.ts'
import type { ErasedPersons } from './suppression-list.ts'
import { isEqual, type Json } from '../base/json.ts'
import { uuidOf } from '../base/hash.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

export type Landing = {
  /** Accepted rows of the batch, in its order. */
  rows: number[]
  /** By row of the batch: its position in `rows`, or -1. */
  landedRow: Int32Array
  duplicates: number
  /** Number of events and refused lines of erased persons that were dropped. */
  erased: number
  /** Lines refused by the decoder, and events refused here. */
  refusals: Refusal[]
}

/** Look-ups of stored events. */
export type StoredIds = Pick<Warehouse, 'fingerprints' | 'landed'>

export async function land(
  warehouse: StoredIds,
  batch: EventBatch,
  erased: ErasedPersons,
): Promise<Landing> {
  const onRecord = await recordOf(warehouse, batch)
  const landing: Landing = {
    rows: [],
    landedRow: new Int32Array(batch.count).fill(-1),
    duplicates: 0,
    erased: 0,
    refusals: [...batch.refusals],
  }
  const inBatch = new RowsById(batch.eventId, batch.eventHash)
  landing.refusals = landing.refusals.filter(({ from, to }) => {
    return !erased.isIn(batch.raw.subarray(from, to))
  })
  landing.erased = batch.refusals.length - landing.refusals.length
  const isErased = erased.rowsOf(batch)
  for (let row = 0; row < batch.count; row++) {
    if (isErased?.[row] === 1) {
      landing.erased += 1
      continue
    }
    const isSame = onRecord.get(row)
    const first = isSame === undefined ? inBatch.add(row) : -1
    if (first === row) {
      landing.landedRow[row] = landing.rows.length
      landing.rows.push(row)
    } else if (isSame ?? isRepeat(batch, row, first)) {
      landing.duplicates += 1
    } else {
      landing.refusals.push(refusalOf(batch, row))
    }
  }
  return landing
}

/**
 * By row whose id is stored: whether the stored event is the same. Ids are looked up by hash. The
 * event itself is read only if the fingerprints differ.
 */
async function recordOf(warehouse: StoredIds, batch: EventBatch): Promise<Map<number, boolean>> {
  const record = new Map<number, boolean>()
  const fingerprints = await warehouse.fingerprints(batch.eventHash)
  if (fingerprints.size === 0) return record
  const stored = EventIndex.of(
    BigUint64Array.from(fingerprints.keys()),
    BigUint64Array.from(fingerprints.values()),
  )
  const doubtful: number[] = []
  const matches = stored.matches(batch.eventHash, batch.fingerprint)
  for (let row = 0; row < batch.count; row++) {
    const match = matches[row]
    if (match === 'same') record.set(row, true)
    else if (match === 'other') doubtful.push(row)
  }
  if (doubtful.length === 0) return record
  const landed = await warehouse.landed(
    doubtful.map((row) => batch.eventId[row] as string),
    BigUint64Array.from(doubtful, (row) => batch.eventHash[row] as bigint),
  )
  const contents = new Map(landed.map((content) => [content.event_id, parsedContent(content)]))
  for (const row of doubtful) {
    const content = contents.get(batch.eventId[row] as string)
    if (content !== undefined) record.set(row, isEqual(contentOf(batch, row), content))
  }
  return record
}

function isRepeat(batch: EventBatch, row: number, first: number): boolean {
  if (batch.fingerprint[row] === batch.fingerprint[first]) return true
  return isEqual(contentOf(batch, row), contentOf(batch, first))
}

/** Returns everything of an event except `received_at`, as JSON. */
function contentOf(batch: EventBatch, row: number): Json {
  return parsedContent({
    event_id: batch.eventId[row],
    name: batch.name.values[batch.name.codes[row] ?? -1],
    occurred_at: batch.occurredAt[row],
    ordinal: batch.ordinal[row],
    source: batch.source.values[batch.source.codes[row] ?? -1],
    identifiers: textAt(batch.content, contentAt(row, IDENTIFIERS)),
    properties: textAt(batch.content, contentAt(row, PROPERTIES)),
    context: textAt(batch.content, contentAt(row, CONTEXT)),
    alias: batch.aliasJson.get(row) ?? null,
    unlink: batch.unlinkJson.get(row) ?? null,
  })
}

const JSON_COLUMNS = ['identifiers', 'properties', 'context', 'alias', 'unlink']
const PLAIN_COLUMNS = ['event_id', 'name', 'occurred_at', 'ordinal', 'source']

function parsedContent(content: { [column: string]: unknown }): Json {
  const parsed: { [column: string]: Json } = {}
  for (const name of PLAIN_COLUMNS) parsed[name] = (content[name] ?? null) as Json
  for (const name of JSON_COLUMNS) {
    const text = content[name]
    parsed[name] = typeof text === 'string' ? (JSON.parse(text) as Json) : null
  }
  return parsed
}

function refusalOf(batch: EventBatch, row: number): Refusal {
  return {
    from: batch.lineFrom[row] as number,
    to: batch.lineTo[row] as number,
    reason: 'duplicate_event_id',
    detail: `event_id: ${JSON.stringify(batch.eventId[row])} has landed with other content`,
  }
}

/** Returns the id of the dead letter of a refused line. */
export function deadLetterIdOf(
  { raw }: EventBatch,
  { from, to, reason }: Pick<Refusal, 'from' | 'to' | 'reason'>,
): string {
  return deadLetterId(raw.subarray(from, to), reason)
}

/** Returns the id of a dead letter: the same bytes refused for the same reason have the same id. */
export function deadLetterId(raw: Uint8Array, reason: string): string {
  return uuidOf(
    `${reason}\n${Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString('latin1')}`,
  )
}
