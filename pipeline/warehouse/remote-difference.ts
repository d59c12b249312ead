/**
 * Contract of a comparison between recomputed tables and a remote warehouse. The engine that holds
 * the recomputed tables implements it, so the remote engine depends on no other engine.
 */

import type { Table } from 'apache-arrow'
import type { TableName, VersionedName } from './tables.ts'
import type { Taken } from './takeover-sql.ts'
import type { RowCounts, Takeover } from './warehouse.ts'

/** Reads the current rows of a remote table that a takeover affects, with all stored columns. */
export type ReadCurrent = (table: VersionedName, taken: Taken) => AsyncIterable<Table>

export interface RemoteDifference {
  /** Compares table by table; returns how many rows a takeover inserts and supersedes. */
  compare(readCurrent: ReadCurrent): Promise<RowCounts>
  /** Tables that the takeover affects. Valid after `compare`. */
  tables(): VersionedName[]
  /** Rows to insert, as the JSON texts of `rowTexts`, in pages. */
  coming(table: VersionedName): AsyncIterable<string[]>
  /** Rows to supersede, key and reason, as JSON texts in pages. */
  going(table: VersionedName): AsyncIterable<string[]>
  /** Recomputed rows of a state table, latest only, as JSON texts in pages. */
  state(table: TableName): AsyncIterable<string[]>
  /** Releases memory and files. */
  close(): void
}

/** Opens a comparison with the recomputed tables at `takeover.from`. */
export type OpenDifference = (takeover: Takeover) => Promise<RemoteDifference>
