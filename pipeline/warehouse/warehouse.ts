/**
 * What a warehouse must do: keep what a batch commits, all of it or nothing, and give back in bulk
 * what the next batch needs to continue. `test/warehouse/warehouse.contract.ts` is this file as a suite.
 *
 * There is one writer at a time. A warehouse keeps two kinds of rows: the tables of `tables.ts`,
 * and images: the latest checkpoint of a key (a stream, an identifier, a component, a profile) as
 * an opaque text. No method is called while another has not settled, but for look-ups while a
 * commit is under way, where `answersMeanwhile`.
 */

import type { OpenDifference } from './remote-difference.ts'
import type { VersionName } from '../definition/load.ts'
import type { Table } from 'apache-arrow'
import type { AppendedName, TableName, VersionedName } from './tables.ts'

/** The kinds of keyed images; each has its own private table. */
export const IMAGE_KINDS = ['stream', 'identifier', 'component', 'profile'] as const
export type ImageKind = (typeof IMAGE_KINDS)[number]

/** Where the last commit left the warehouse. */
export type Head = {
  /** Number of the last batch, 0 when there is none. */
  batch: number
  /** Its `recorded_at`, microseconds; 0 when there is none. */
  recordedAt: number
  /** Null when there is none. */
  watermark: number | null
}

/** The canonical event as it landed, without `received_at`: columns of `events` by name. */
export type LandedContent = { event_id: string; [column: string]: unknown }

/** Which landed message; `publish_time` in microseconds, the same whenever it is delivered. */
export type LandedKey = { subscription_name: string; message_id: string; publish_time: number }

/** A row of `landed_messages`; `attributes` is a JSON object of texts. */
export type LandedMessage = LandedKey & { data: Uint8Array; attributes: string }

/** Why a version stopped being believed. */
export type SupersededBecause = 'progress' | 'late_event' | 'identity' | 'rebuilt'

/**
 * Everything a micro-batch changes. Applied in one transaction. Rows to insert come as Arrow
 * tables with exactly the private columns of `tables.ts`, `recorded_at` and `recorded_by`
 * excepted: the warehouse sets those from `recordedAt` and `batch`.
 */
export type Commit = {
  /** One more than the head's. */
  batch: number
  /** Microseconds, greater than the head's. */
  recordedAt: number
  inserts: Map<TableName, Table>
  /** Of a versioned table: columns `row_key` (16 bytes) and `superseded_because`. The version of
   * that key which is believed now stops being believed; there is exactly one. */
  supersedes: Map<VersionedName, Table>
  /** New images: columns `k` (64-bit hash of `key`), `key`, `image`. */
  images: Map<ImageKind, Table>
}

/** What goes for ever with an erased person. */
export type Erasure = {
  /** Ids of the events. */
  events: readonly string[]
  /** Identifiers that are the person's and nobody else's. */
  names: readonly string[]
  /** Streams whose history the commit writes anew, and those that have none left. */
  streams: readonly string[]
  emptied: readonly string[]
  /** Keys of components that the commit decides anew, maybe under another key. */
  components: readonly string[]
  /** Dead letters, UUID text. */
  letters: readonly string[]
  /** Landed messages: the commit inserts what remains of them, and all rows before it go. */
  messages: readonly LandedKey[]
  /** What profiles that lost events wait for now, microseconds; null: nothing. */
  dues: readonly { profile: string; due: number | null }[]
}

/** Rows erased, by table; tables without any are absent. */
export type ErasedRows = { [table: string]: number }

/** Rows of versioned tables that a commit adds and ends. */
export type RowCounts = { inserted: number; superseded: number }

/** Event time, microseconds: from the one instant up to and without the other; null is no bound. */
export type EventWindow = { from: number | null; to: number | null }

/**
 * What is taken over from another warehouse, in which the same events have been processed under
 * other definitions: rows that differ are superseded as `rebuilt`, equal ones are left alone.
 */
export type Takeover = {
  /** The url of the other: a file of DuckDB's, whatever this one is, and not open. */
  from: string
  /** The version whose rows become what they are there; null: those of all that is derived there,
   * sessions and identities too. */
  version: VersionName | null
  /** Rows of profiles that are there, but have no event in this window, are left alone. */
  within: EventWindow | null
  /** Images, history and timers become those of the other, so that runs go on from there. */
  hasMemory: boolean
  /** Opens a comparison with `from`, for an engine that cannot attach it. */
  openDifference: OpenDifference
}

/** Whether an effect was sent on (`due`), came too late (`expired`) or was taken back. */
export type EffectFate = 'due' | 'expired' | 'retracted'

/** What has been read back since `open`, in rows: the price of a batch, for tests and the bench. */
export type ReadCounts = { images: number; segments: number; timers: number; landed: number }

export type Row = { [column: string]: unknown }

/** What `open` does where there is no warehouse. Whoever does not feed one refuses: a slip in its
 * name must not make another. */
export type IfMissing = 'make' | 'refuse'

export interface Warehouse {
  readonly url: string
  readonly reads: Readonly<ReadCounts>

  /** Whether look-ups (`images` to `outbox`) may be made while a commit is under way. They answer
   * as if it had been applied, or reject if it fails; images that it brings are not asked for. */
  readonly answersMeanwhile: boolean

  /** Makes what is missing (idempotent, additive) and tells where the last commit left off. One
   * that is not there at all is made or refused, as it was asked for (see `IfMissing`). */
  open(): Promise<Head>

  /** The latest image of each key that has one; other keys are absent from the map. */
  images(kind: ImageKind, keys: string[]): Promise<Map<string, string>>

  /** All history segments of each stream, in commit order, those of one takeover in any; unknown
   * streams are absent. */
  segments(streams: string[]): Promise<Map<string, string[]>>

  /** Keys of profiles with a timer after `after` (null: from the beginning) and up to `upTo`,
   * both microseconds. May name a profile whose timer has since been dropped; never twice. */
  due(after: number | null, upTo: number): Promise<string[]>

  /** Fingerprints of the events that have landed under the given 64-bit hashes of event ids. */
  fingerprints(hashes: BigUint64Array): Promise<Map<bigint, bigint>>

  /** What those of the given events that have landed said. `hashes[i]` is of id i. */
  landed(eventIds: string[], hashes: BigUint64Array): Promise<LandedContent[]>

  /** Those of the given dead letters (UUID text) that are on record. */
  deadLetters(ids: string[]): Promise<Set<string>>

  /** What became of those of the given effects (UUID text) that are on record. */
  outbox(ids: string[]): Promise<Map<string, EffectFate>>

  /** Applies a batch, all of it or nothing. After a rejection nothing of it is visible, now or
   * later, and the warehouse can be used on. */
  commit(commit: Commit): Promise<void>

  /**
   * Applies a commit and erases every version of what goes with a person, both or neither, with a
   * row of `erasures` made of the counts. `isPlan`: nothing is done, and what it would be is told.
   */
  erase(
    commit: Commit,
    erasure: Erasure,
    certificate: (counts: ErasedRows) => Table,
    isPlan: boolean,
  ): Promise<ErasedRows>

  /** Applies a takeover together with the commit that `decide` makes when told what it would
   * change, all of it or nothing; null: nothing is changed. */
  takeOver(takeover: Takeover, decide: (counts: RowCounts) => Commit | null): Promise<void>

  /** Appends rows outside any batch, all or none, at an instant (microseconds). Another process may
   * do so, or commit, at the same time. */
  append(table: AppendedName, rows: Table, recordedAt: number): Promise<void>

  /** Landed messages that no batch has applied, oldest first: at most `messagesMax`, and no further
   * one once there are `bytesMax`. Asked again with nothing landed since, it costs nothing. */
  unapplied(bounds: { messagesMax: number; bytesMax: number }): Promise<LandedMessage[]>

  /** Rows of a query in the engine's SQL. Instants come as microseconds (number), dates as
   * `2026-03-01`, UUIDs and JSON as text, integers as number. `parameters` are bound in order to
   * `$1`, `$2` … */
  query(sql: string, parameters?: (string | number | null)[]): Promise<Row[]>

  /** The same as they come, a few thousand at a time. Commits may be made before the end: what is
   * read is what was there at the beginning. */
  stream(sql: string, parameters?: (string | number | null)[]): AsyncIterable<Row[]>

  /** Folds and compacts what has piled up, then lets go of the file. Idempotent. */
  close(): Promise<void>
}
