/** An event as the scanner finds it in a line: positions of its texts, and its numbers. */

import { sliceOf, type Slice } from '../bytes.ts'

/** One object is used for all lines. */
export type ScannedEvent = {
  eventId: Slice
  name: Slice
  source: Slice
  occurredAt: number
  /** Microseconds until its receipt, if `occurredAt` was computed from the receipt. */
  waited: number | undefined
  ordinal: number
  receivedAt: number
  /** By declared namespace: the entry of its value in the builder's dictionary, -1 without one. */
  who: Int32Array
  /** JSON objects as they are stored. */
  identifiers: Slice
  properties: Slice
  context: Slice
}

export function emptyEvent(namespaceCount: number): ScannedEvent {
  return {
    eventId: sliceOf(''),
    name: sliceOf(''),
    source: sliceOf(''),
    occurredAt: 0,
    waited: undefined,
    ordinal: 0,
    receivedAt: 0,
    who: new Int32Array(namespaceCount),
    identifiers: sliceOf(''),
    properties: sliceOf(''),
    context: sliceOf(''),
  }
}
