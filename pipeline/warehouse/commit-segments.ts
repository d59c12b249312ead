/** History segments of a commit, by stream. The index is built on first use. */

import { textAt, type TextColumn } from '../base/columns.ts'
import { textColumn } from './arrow/arrow.ts'
import type { Commit } from './warehouse.ts'

const NO_TEXTS: TextColumn = { bytes: new Uint8Array(), offsets: new Int32Array(1) }

export class CommitSegments {
  readonly #streams: TextColumn
  readonly #segments: TextColumn
  #rowOf: Map<string, number> | null = null

  constructor({ inserts }: Commit) {
    const history = inserts.get('history')
    this.#streams = history === undefined ? NO_TEXTS : textColumn(history, 'stream')
    this.#segments = history === undefined ? NO_TEXTS : textColumn(history, 'segment')
  }

  /** Returns the segment that the commit adds to a stream, or undefined. */
  of(stream: string): string | undefined {
    this.#rowOf ??= rowsOf(this.#streams)
    const row = this.#rowOf.get(stream)
    return row === undefined ? undefined : textAt(this.#segments, row)
  }
}

/** Returns the rows of distinct texts. */
function rowsOf(texts: TextColumn): Map<string, number> {
  const rows = new Map<string, number>()
  for (let row = 0; row < texts.offsets.length - 1; row++) rows.set(textAt(texts, row), row)
  return rows
}
