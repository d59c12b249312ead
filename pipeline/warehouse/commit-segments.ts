/** History segments of a commit, by stream. The index is built on first use. */

import type { Commit } from './warehouse.ts'

export class CommitSegments {
  readonly #history: ReturnType<Commit['inserts']['get']>
  #rowOf: Map<string, number> | null = null

  constructor({ inserts }: Commit) {
    this.#history = inserts.get('history')
  }

  /** Returns the segment that the commit adds to a stream, or undefined. */
  of(stream: string): string | undefined {
    const row = this.#rows.get(stream)
    return row === undefined ? undefined : this.#history?.getChild('segment')?.get(row)
  }

  get #rows(): Map<string, number> {
    if (this.#rowOf !== null) return this.#rowOf
    this.#rowOf = new Map()
    const streams = this.#history?.getChild('stream')
    for (let row = 0; row < (streams?.length ?? 0); row++) this.#rowOf.set(streams?.get(row), row)
    return this.#rowOf
  }
}
