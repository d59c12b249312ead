/** Records written to a state log, and the commit up to which the log is complete. */

import type { StateRecord } from './record-codec.ts'
import type { TextColumn } from '../base/columns.ts'

/** Commit up to which a log is complete, and whether it has every key of the warehouse. */
export type Position = { batch: number; recordedAt: number; erasures: number; isComplete: boolean }

/** Value to write under a key; the log sets `previous` of a segment. */
export type Written = Pick<StateRecord, 'space' | 'key' | 'text'> & {
  type: 'value' | 'unknown'
  /** Whether a segment continues the stored one. */
  isNext?: boolean
}

/** Values of many keys of one space, as a commit has them. */
export type WrittenColumns = {
  space: number
  /** `hash64` of each key, its low word first. */
  hashes: Uint32Array
  keys: TextColumn
  texts: TextColumn
  /** Segments: each goes on from the one on record. It is left out where the chain before it is not
   * here. */
  isNext: boolean
}
