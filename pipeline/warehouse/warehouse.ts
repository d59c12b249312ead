/**
 * Contract of warehouses. A warehouse stores the commit of a batch completely or not at all, and
 * returns in bulk what the next batch needs to continue. `test/warehouse/warehouse.contract.ts`
 * tests it.
 *
 * There is one writer at a time. A warehouse has two kinds of rows: the tables of `tables.ts`, and
 * images: the latest state of a key (a stream, an identifier, a component, a profile) as an opaque
 * text. Methods are called one at a time, except lookups during a commit if `answersMeanwhile`.
 */

import type { OpenDifference } from './remote-difference.ts'
import type { VersionName } from '../definition/load.ts'
import type { Table } from 'apache-arrow'
import type { AppendedName, TableName, VersionedName } from './tables.ts'

/** Kinds of images; each has its own private table. */
export const IMAGE_KINDS = ['stream', 'identifier', 'component', 'profile'] as const
export type ImageKind = (typeof IMAGE_KINDS)[number]

/** Table with state that batches continue from. */
export type StateTable = Extract<TableName, 'timer' | 'history' | `${ImageKind}_image`>

/** Position of a warehouse after its last commit. */
export type Head = {
  /** Number of the last batch, 0 before the first. */
  batch: number
  /** `recorded_at` of the last batch, microseconds; 0 before the first. */
  recordedAt: number
  /** Null before the first event. */
  watermark: number | null
}

/** Stored canonical event without `received_at`: columns of `events` by name. */
export type LandedContent = { event_id: string; [column: string]: unknown }

/** Key of a landed message. `publish_time` is in microseconds and the same in every delivery. */
export type LandedKey = { subscription_name: string; message_id: string; publish_time: number }

/** Row of `landed_messages`; `attributes` is a JSON object of texts. */
export type LandedMessage = LandedKey & { data: Uint8Array; attributes: string }

/** Why a version was superseded. */
export type SupersededBecause = 'progress' | 'late_event' | 'identity' | 'rebuilt'

/**
 * Everything that a micro-batch changes, applied in one transaction. Rows to insert are Arrow
 * tables with exactly the columns of `tables.ts`, except `recorded_at` and `recorded_by`, which the
 * warehouse sets from `recordedAt` and `batch`.
 */
export type Commit = {
  /** One more than that of the head. */
  batch: number
  /** Microseconds, greater than that of the head. */
  recordedAt: number
  inserts: Map<TableName, Table>
  /** By versioned table: columns `row_key` (16 bytes) and `superseded_because`. Supersedes the
   * current version of each key; there is exactly one. */
  supersedes: Map<VersionedName, Table>
  /** New images: columns `k` (64-bit hash of `key`), `key`, `image`. */
  images: Map<ImageKind, Table>
}

/** Everything that is deleted with an erased person. */
export type Erasure = {
  /** Ids of the events. */
  events: readonly string[]
  /** Identifiers that only the person has. */
  names: readonly string[]
  /** Streams whose history the commit rewrites, and `emptied` ones without remaining history. */
  streams: readonly string[]
  emptied: readonly string[]
  /** Keys of components that the commit resolves again, possibly under another key. */
  components: readonly string[]
  /** Dead letters, UUID text. */
  letters: readonly string[]
  /** Landed messages. The commit inserts what remains of them; all earlier rows of them are
   * deleted. */
  messages: readonly LandedKey[]
  /** Next deadline of profiles that lost events, microseconds; null for none. */
  dues: readonly { profile: string; due: number | null }[]
}

/** Erased rows by table; tables without any are absent. */
export type ErasedRows = { [table: string]: number }

/** Rows of versioned tables that a commit inserts and supersedes. */
export type RowCounts = { inserted: number; superseded: number }

/** Event time, microseconds: from `from` up to but excluding `to`; null is unbounded. */
export type EventWindow = { from: number | null; to: number | null }

/**
 * Rows to take over from another warehouse that processed the same events under other definitions.
 * Rows that differ are superseded as `rebuilt`; equal rows stay unchanged.
 */
export type Takeover = {
  /** URL of the other warehouse: a closed DuckDB file, whatever this engine is. */
  from: string
  /** Version whose rows are taken over; null takes all derived rows, including sessions and
   * identities. */
  version: VersionName | null
  /** Rows of profiles without an event in this window stay unchanged. */
  within: EventWindow | null
  /** State that is taken over whole, so that runs continue from there. */
  state: readonly StateTable[]
  /** Opens a comparison with `from`, for an engine that cannot attach it. */
  openDifference: OpenDifference
}

/** Commit that is written part by part. The parts have the same batch and `recordedAt`. */
export type Loading = Pick<Warehouse, 'landed' | 'deadLetters'> & {
  /** Adds a part. Lookups include it. */
  add(part: Commit): Promise<void>
}

/** Whether an effect was published (`due`), came too late (`expired`) or was retracted. */
export type EffectFate = 'due' | 'expired' | 'retracted'

/** Rows read since `open`: the cost of a batch, for tests and the bench. */
export type ReadCounts = { images: number; segments: number; timers: number; landed: number }

export type Row = { [column: string]: unknown }

/** Behaviour of `open` if the warehouse does not exist. Read-only commands refuse, so a misspelt
 * name does not create one. */
export type IfMissing = 'make' | 'refuse'

export interface Warehouse {
  readonly url: string
  readonly reads: Readonly<ReadCounts>

  /** Whether lookups (`images` to `outbox`) may run during a commit. They return what they return
   * after it, or reject if it fails. Images that it changes are not requested. */
  readonly answersMeanwhile: boolean

  /** Whether each lookup is a query of its own that takes seconds and is billed. */
  readonly isRemote: boolean

  /** Creates missing tables and views (idempotent, additive) and returns the head. If the warehouse
   * does not exist, it is created or refused (see `IfMissing`). */
  open(): Promise<Head>

  /** Returns the latest image of each key; keys without one are absent. */
  images(kind: ImageKind, keys: string[]): Promise<Map<string, string>>

  /** Returns the history segments of each stream in commit order, those of one takeover in any
   * order. Unknown streams are absent. */
  segments(streams: string[]): Promise<Map<string, string[]>>

  /** Returns the profiles with a timer after `after` (null: from the beginning) up to `upTo`,
   * microseconds. May include a profile whose timer was dropped since; never one twice. */
  due(after: number | null, upTo: number): Promise<string[]>

  /** Returns the fingerprints of landed events by the given 64-bit hashes of event ids. */
  fingerprints(hashes: BigUint64Array): Promise<Map<bigint, bigint>>

  /** Returns the content of the given events that have landed. `hashes[i]` is that of id i. */
  landed(eventIds: string[], hashes: BigUint64Array): Promise<LandedContent[]>

  /** Returns those of the given dead letters (UUID text) that are stored. */
  deadLetters(ids: string[]): Promise<Set<string>>

  /** Returns the fate of those of the given effects (UUID text) that are stored. */
  outbox(ids: string[]): Promise<Map<string, EffectFate>>

  /** Applies a batch completely or not at all. After a rejection nothing of it becomes visible, and
   * the warehouse remains usable. */
  commit(commit: Commit): Promise<void>

  /** Applies the parts that `work` adds as one commit, completely or not at all. Absent if the engine
   * cannot. */
  load?(work: (loading: Loading) => Promise<void>): Promise<void>

  /**
   * Applies a commit and erases every version of a person's rows, both or neither, with a row of
   * `erasures` made from the counts. With `isPlan`, changes nothing and returns the counts.
   */
  erase(
    commit: Commit,
    erasure: Erasure,
    certificate: (counts: ErasedRows) => Table,
    isPlan: boolean,
  ): Promise<ErasedRows>

  /** Applies a takeover and the commit that `decide` returns for its counts, completely or not at
   * all. Null changes nothing. */
  takeOver(takeover: Takeover, decide: (counts: RowCounts) => Commit | null): Promise<void>

  /** Appends rows outside of batches, all or none, at an instant (microseconds). Other processes
   * may append or commit at the same time. */
  append(table: AppendedName, rows: Table, recordedAt: number): Promise<void>

  /** Returns landed messages that no batch has applied, oldest first: at most `messagesMax`, ending
   * once `bytesMax` are reached. A repeated call without new messages is cheap. */
  unapplied(bounds: { messagesMax: number; bytesMax: number }): Promise<LandedMessage[]>

  /** Returns what follows `from` to read a public view as of an instant of knowledge time
   * (microseconds). */
  asOf(view: string, instant: number): string

  /** Returns rows of a query in the engine's SQL. Instants are microseconds (number), dates
   * `2026-03-01`, UUIDs and JSON text, integers numbers. `parameters` are bound to each `?` in
   * order. */
  query(sql: string, parameters?: (string | number | null)[]): Promise<Row[]>

  /** Yields rows of a query, a few thousand at a time. Commits may happen meanwhile: the rows are
   * those at the start. */
  stream(sql: string, parameters?: (string | number | null)[]): AsyncIterable<Row[]>

  /** Folds and compacts what has accumulated, then closes the file. Idempotent. */
  close(): Promise<void>
}
