/**
 * Decoded micro-batch: accepted events as one array per column, refused lines, and the raw bytes of
 * both. It consists of typed arrays, plain arrays and plain objects, so it can be moved to another
 * thread.
 */

import type { TextColumn, DictionaryColumn } from '../base/columns.ts'
import type { CorrectionKind } from '../base/identifier.ts'
import type { Json } from '../base/json.ts'

/** Reasons for refusing a line. The list is closed; a test covers each reason. */
export const REJECTION_REASONS = [
  'invalid_gzip',
  'invalid_utf8',
  'invalid_json',
  'too_large',
  'unknown_format',
  'missing_field',
  'invalid_field',
  'no_identifier',
  'occurred_in_future',
  'unknown_event',
  'invalid_properties',
  'duplicate_event_id',
] as const
export type RejectionReason = (typeof REJECTION_REASONS)[number]

/** Refused line. `from` and `to` delimit its bytes in `EventBatch.raw`, without the line break. */
export type Refusal = { from: number; to: number; reason: RejectionReason; detail: string }

/** Pair that an event declares to be (alias) or not to be (unlink) one person. An alias goes from
 * `a` to `b`. */
export type Correction = { row: number; kind: CorrectionKind; a: string; b: string }

export type EventBatch = {
  /** Number of accepted events. Rows are in input order. */
  count: number
  eventId: string[]
  /** The same as one column. */
  eventIdText: TextColumn
  name: DictionaryColumn
  source: DictionaryColumn
  /** Instants, microseconds (see `clock.ts`). */
  occurredAt: Float64Array
  receivedAt: Float64Array
  ordinal: Float64Array
  /** One column per declared namespace, persons first, in declared order: `namespace:value`.
   * Ignored and absent values are -1. */
  identifiers: DictionaryColumn[]
  /** One column per operand path (see `operandPaths` of `compile.ts`); undefined means absent or
   * null. */
  operands: (Json | undefined)[][]
  /** In row order. Only pairs of declared person identifiers that are not placeholders. */
  corrections: Correction[]
  /** Parts of the content of all rows, among them the stored JSON objects (see
   * `content-builder.ts`). */
  content: TextColumn
  /** Stored `alias` and `unlink` as JSON text by row, trimmed. */
  aliasJson: Map<number, string>
  unlinkJson: Map<number, string>
  /** 64-bit hash of the event id, and of everything except `received_at`. */
  eventHash: BigUint64Array
  fingerprint: BigUint64Array
  /** Line of row i: bytes `lineFrom[i]` to `lineTo[i]` of `raw`, without the line break. */
  lineFrom: Int32Array
  lineTo: Int32Array
  raw: Uint8Array
  refusals: Refusal[]
  /** Number of lines that were not blank, accepted or refused. */
  read: number
}

/** Columns of a batch that tables are derived from. */
export type EventColumns = Pick<
  EventBatch,
  | 'count'
  | 'eventId'
  | 'name'
  | 'source'
  | 'occurredAt'
  | 'ordinal'
  | 'identifiers'
  | 'operands'
  | 'corrections'
>

/** Returns an empty batch. A run without input commits it, so that its watermark is applied. */
export function emptyBatch(namespaceCount: number): EventBatch {
  const none = (): DictionaryColumn => ({ values: [], codes: new Int32Array(0) })
  const noText = (): TextColumn => ({ bytes: new Uint8Array(0), offsets: new Int32Array(1) })
  return {
    count: 0,
    eventId: [],
    eventIdText: noText(),
    name: none(),
    source: none(),
    occurredAt: new Float64Array(0),
    receivedAt: new Float64Array(0),
    ordinal: new Float64Array(0),
    identifiers: Array.from({ length: namespaceCount }, none),
    operands: [],
    corrections: [],
    content: noText(),
    aliasJson: new Map(),
    unlinkJson: new Map(),
    eventHash: new BigUint64Array(0),
    fingerprint: new BigUint64Array(0),
    lineFrom: new Int32Array(0),
    lineTo: new Int32Array(0),
    raw: new Uint8Array(0),
    refusals: [],
    read: 0,
  }
}
