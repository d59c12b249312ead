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
    let row = 0
    for (const stream of this.#history?.getChild('stream') ?? []) this.#rowOf.set(stream, row++)
    return this.#rowOf
  }
}
