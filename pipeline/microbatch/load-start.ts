/** Start of a bulk load: its position and settings, and the stored state that it continues from. */

import type { Compiled } from '../definition/compile.ts'
import type { Definitions } from '../definition/load.ts'
import type { StateReads, StateStore } from '../state/state-store.ts'
import type { Commit, Head, Loading, Warehouse } from '../warehouse/warehouse.ts'
import type { CommitBuilder } from './commit-builder.ts'
import type { Lookups } from './micro-batch.ts'
import type { ErasedPersons } from './suppression-list.ts'

/** Position and settings that a bulk load starts from. */
export type LoadStart = {
  /** Writes the parts of one commit, see `Warehouse`. */
  load: NonNullable<Warehouse['load']>
  definitions: Definitions
  compiled: Compiled
  erased: ErasedPersons
  /** Number and time of the commit. */
  at: Pick<Head, 'batch' | 'recordedAt'>
  /** Adds the definitions that the commit registers. */
  register: (builder: CommitBuilder) => void
  /** Null for an empty warehouse. */
  stored: Stored | null
}

/** Stored events and state, as of the last commit. */
export type Stored = StateReads &
  Lookups &
  Pick<StateStore, 'fingerprints'> &
  Pick<Warehouse, 'stream'> & { head: Readonly<Head> }

/** Returns what is stored up to the head. */
export function storedOf(head: Readonly<Head>, state: StateStore, warehouse: Warehouse): Stored {
  return {
    head,
    images: (kind, keys) => state.images(kind, keys),
    segments: (streams) => state.segments(streams),
    fingerprints: (hashes) => state.fingerprints(hashes),
    due: (after, upTo) => warehouse.due(after, upTo),
    outbox: (ids) => warehouse.outbox(ids),
    stream: (sql) => warehouse.stream(sql),
  }
}

/** Returns a loading whose parts the state store follows. */
export function followed(loading: Loading, state: StateStore): Loading {
  const add = async (part: Commit) => {
    state.loading(part)
    await loading.add(part)
  }
  return { ...loading, add }
}
