/**
 * The micro-batch as decoding leaves it: accepted events as one array per column, refused lines
 * beside them, and the raw bytes both came from.
 *
 * Everything in it can be moved to another thread: typed arrays, plain arrays and plain objects.
 */

import type { TextColumn, DictionaryColumn } from '../base/columns.ts'
import type { CorrectionKind } from '../base/identifier.ts'
import type { Json } from '../base/json.ts'

/** Why a line was refused. The list is closed; every reason has a test. */
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

/** A refused line. `from` and `to` are its bytes in `EventBatch.raw`, without the line break. */
export type Refusal = { from: number; to: number; reason: RejectionReason; detail: string }

/** A pair that an event says is (alias) or is not (unlink) one person; both survive `ignore`. An
 * alias goes from `a` to `b`. */
export type Correction = { row: number; kind: CorrectionKind; a: string; b: string }

export type EventBatch = {
  /** Accepted events. Rows are in the order of the input. */
  count: number
  eventId: string[]
  name: DictionaryColumn
  source: DictionaryColumn
  /** Instants, microseconds (see `clock.ts`). */
  occurredAt: Float64Array
  receivedAt: Float64Array
  ordinal: Float64Array
  /** One per declared namespace, persons first, in the declared order: `namespace:value`. Ignored
   * and absent values are -1. */
  identifiers: DictionaryColumn[]
  /** One per operand path (see `operandPaths` of `compile.ts`): undefined is absent or null. */
  operands: (Json | undefined)[][]
  /** In row order; only pairs of declared person identifiers that survive the ignore list. */
  corrections: Correction[]
  /** What lands: JSON objects as text. */
  identifiersJson: TextColumn
  propertiesJson: TextColumn
  contextJson: TextColumn
  /** The landed `alias` and `unlink`, JSON text by row, as the event said it (trimmed). */
  aliasJson: Map<number, string>
  unlinkJson: Map<number, string>
  /** 64-bit hash of the event id, and of everything but `received_at`. */
  eventHash: BigUint64Array
  fingerprint: BigUint64Array
  /** The line of row i in `raw`: `lineFrom[i]` to `lineTo[i]`, without the line break. */
  lineFrom: Int32Array
  lineTo: Int32Array
  raw: Uint8Array
  refusals: Refusal[]
  /** Lines that were not blank: accepted and refused. */
  read: number
}

/** A batch of nothing: what a run without input commits, so that its watermark counts. */
export function emptyBatch(namespaceCount: number): EventBatch {
  const none = (): DictionaryColumn => ({ values: [], codes: new Int32Array(0) })
  const noText = (): TextColumn => ({ bytes: new Uint8Array(0), offsets: new Int32Array(1) })
  return {
    count: 0,
    eventId: [],
    name: none(),
    source: none(),
    occurredAt: new Float64Array(0),
    receivedAt: new Float64Array(0),
    ordinal: new Float64Array(0),
    identifiers: Array.from({ length: namespaceCount }, none),
    operands: [],
    corrections: [],
    identifiersJson: noText(),
    propertiesJson: noText(),
    contextJson: noText(),
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
