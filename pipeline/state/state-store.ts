/**
 * State store: what a micro-batch continues from. It has the latest image of each key and the chain
 * of history segments of each stream, and it knows which event ids are new.
 *
 * The warehouse is the changelog: every commit writes the same images and segments there. A state
 * store contains nothing that the warehouse lacks, so it may be deleted at any time.
 */

import type { Commit, Warehouse } from '../warehouse/warehouse.ts'

/** Bulk reads by key. */
export type StateReads = Pick<Warehouse, 'images' | 'segments'>

export type StateStore = StateReads &
  Pick<Warehouse, 'fingerprints'> & {
    /** Follows a commit in flight. Resolves when the commit is durable and the store has applied it;
     * rejects if the commit does. Reads meanwhile behave as in `Warehouse`. */
    follow(commit: Commit, committed: Promise<void>): Promise<void>
    /** Adds a part of a commit. Reads meanwhile must not concern keys of the parts. */
    loading(part: Commit): void
    /** Continues after the commit, all parts of which were added; null drops them. Must be called
     * when the load ends. */
    loaded(commit: Pick<Commit, 'batch' | 'recordedAt'> | null): void

    /** Writes what makes the next opening fast. Idempotent. */
    close(): void
  }

/** Returns the store that reads the warehouse's own tables. */
export function warehouseState(warehouse: Warehouse): StateStore {
  return {
    images: (kind, keys) => warehouse.images(kind, keys),
    segments: (streams) => warehouse.segments(streams),
    fingerprints: (hashes) => warehouse.fingerprints(hashes),
    follow: (_commit, committed) => committed,
    loading: () => undefined,
    loaded: () => undefined,
    close: () => undefined,
  }
}
