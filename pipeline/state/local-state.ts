/**
 * Local state store: a log in a folder, for a long-lived or repeated run over a warehouse.
 *
 * It is written after the commit and records the batch it is up to. It is discarded if it is ahead
 * of the warehouse, belongs to another warehouse, or predates an erasure or a takeover. If it is
 * behind, it forgets the keys that changed meanwhile. Missing keys are read from the warehouse.
 * After any failure the store is removed and the warehouse is read instead, so a batch never fails
 * because of it.
 */

import type { Table } from 'apache-arrow'
import { attempt } from './attempt.ts'
import { changedSince, filterOf, HISTORY, isOf, numberOf } from './catch-up.ts'
import type { EventFilter } from './event-filter.ts'
import { lock, unlock } from './lock.ts'
import { rebuild, type OnRebuild } from './rebuild.ts'
import type { StateRecord } from './record-codec.ts'
import { StateLog } from './state-log.ts'
import type { Position, Written, WrittenColumns } from './written.ts'
import type { StateStore } from './state-store.ts'
import { wordsOf } from '../base/hash.ts'
import { textColumn } from '../warehouse/arrow/arrow.ts'
import { CommitSegments } from '../warehouse/commit-segments.ts'
import { IMAGE_KINDS, type Commit, type ImageKind, type Warehouse } from '../warehouse/warehouse.ts'

/** Opens the store in a folder. Returns null if another process has it open or the folder cannot be
 * used. The warehouse must be open. Where a look-up is costly, a new store is filled at once. */
export async function openLocalState(
  dir: string,
  warehouse: Warehouse,
  onRebuild: OnRebuild = () => undefined,
): Promise<StateStore | null> {
  const log = attempt(() => (lock(dir) ? StateLog.open(dir) : null))
  if (log === null) return null
  const { batch, recordedAt } = await warehouse.open()
  const erasures = await numberOf(warehouse, 'select count(*) as n from erasures')
  const { position } = log
  if (position !== null && (await isOf(warehouse, position, batch, erasures))) {
    const isBehind = position.batch < batch
    const changed = isBehind ? await changedSince(warehouse, position.batch) : []
    if (changed !== null) {
      const filter = await filterOf(dir, warehouse, position, batch)
      const state = new LocalState(dir, log, warehouse, filter)
      if (isBehind) state.write(changed, { ...position, batch, recordedAt })
      return state
    }
  }
  log.remove()
  const start = { batch, recordedAt, erasures, isComplete: batch === 0 }
  const isFilled = warehouse.isRemote && batch > 0
  const filled = isFilled ? await filledLog(dir, warehouse, start, onRebuild) : null
  const fresh = filled ?? freshLog(dir, start)
  if (fresh === null) return null
  return new LocalState(dir, fresh, warehouse, await filterOf(dir, warehouse, start, batch))
}

/** Returns a log with the state of the warehouse, whose head is at the position; null if there is too
 * much, or the folder cannot be used. */
async function filledLog(
  dir: string,
  warehouse: Warehouse,
  position: Position,
  onRebuild: OnRebuild,
): Promise<StateLog | null> {
  const log = attempt(() => (lock(dir) ? StateLog.open(dir) : null))
  if (log === null) return null
  let isFilled = false
  try {
    isFilled = await rebuild(log, warehouse, position, onRebuild)
  } finally {
    if (!isFilled) log.remove()
  }
  return isFilled ? log : null
}

/** Returns an empty log at a position, or null if the folder cannot be used. */
function freshLog(dir: string, position: Position): StateLog | null {
  return attempt(() => {
    if (!lock(dir)) return null
    const log = StateLog.open(dir)
    log.write([], position)
    return log
  })
}

class LocalState implements StateStore {
  readonly #dir: string
  readonly #warehouse: Warehouse
  /** Null after a failure, when the store is removed. */
  #log: StateLog | null
  /** Ids of all landed events, and of some that did not land; null if they are not known. */
  readonly #filter: EventFilter | null
  /** Segments of the commit in flight. */
  #underWay: CommitSegments | null = null
  /** Whether parts of a load are in the log that it has not completed. */
  #isLoading = false

  constructor(dir: string, log: StateLog, warehouse: Warehouse, filter: EventFilter | null) {
    this.#dir = dir
    this.#log = log
    this.#warehouse = warehouse
    this.#filter = filter
  }

  async images(kind: ImageKind, keys: string[]): Promise<Map<string, string>> {
    const space = IMAGE_KINDS.indexOf(kind)
    const found = new Map<string, string>()
    const unknown = this.#try((log) => findTexts(log, space, keys, found))
    if (unknown === null) return this.#warehouse.images(kind, keys)
    if (unknown.length === 0) return found
    const read = await this.#warehouse.images(kind, unknown)
    this.#learn([...read].map(([key, text]) => ({ type: 'value', space, key, text })))
    for (const [key, text] of read) found.set(key, text)
    return found
  }

  async segments(streams: string[]): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>()
    const unknown = this.#try((log) => findChains(log, streams, found))
    if (unknown === null) return this.#warehouse.segments(streams)
    const asked = new Set(unknown)
    for (const stream of this.#underWay === null ? [] : streams) {
      const segment = asked.has(stream) ? undefined : this.#underWay?.of(stream)
      if (segment !== undefined) found.set(stream, [...(found.get(stream) ?? []), segment])
    }
    if (unknown.length === 0) return found
    const isQuiet = this.#underWay === null
    const read = await this.#warehouse.segments(unknown)
    // During a commit the answer may include its segments, which are added again when it is done.
    if (isQuiet && this.#underWay === null) {
      this.#learn([...read].flatMap(([stream, texts]) => chainOf(stream, texts)))
    }
    for (const [stream, texts] of read) found.set(stream, texts)
    return found
  }

  async fingerprints(hashes: BigUint64Array): Promise<Map<bigint, bigint>> {
    const candidates = this.#filter?.candidates(hashes) ?? hashes
    return candidates.length === 0 ? new Map() : this.#warehouse.fingerprints(candidates)
  }

  async follow(commit: Commit, committed: Promise<void>): Promise<void> {
    this.#filter?.add(eventHashes(commit))
    this.#underWay = new CommitSegments(commit)
    try {
      await committed
      this.#try((log) => log.writeColumns(columnsOf(commit), positionAfter(log, commit)))
    } finally {
      this.#underWay = null
    }
  }

  loading(part: Commit): void {
    this.#isLoading = true
    this.#filter?.add(eventHashes(part))
    this.#try((log) => log.addColumns(columnsOf(part)))
  }

  loaded(commit: Pick<Commit, 'batch' | 'recordedAt'> | null): void {
    if (commit === null) this.#dropLoaded()
    else this.#try((log) => log.write([], positionAfter(log, commit)))
    this.#isLoading = false
  }

  close(): void {
    this.#try((log) => {
      this.#filter?.write(this.#dir, log.position as Position)
      log.close()
    })
    this.#log = null
    unlock(this.#dir)
  }

  /** Records what the warehouse has at a position. */
  write(written: readonly Written[], position: Position): void {
    this.#try((log) => log.write(written, position))
  }

  #learn(written: readonly Written[]): void {
    // A position would complete the parts of a load.
    if (this.#isLoading) return
    const position = this.#log?.position ?? null
    if (position !== null && written.length > 0) this.write(written, position)
  }

  /** Runs `work` with the log. After a failure, removes the store and returns null. */
  #try<Result>(work: (log: StateLog) => Result): Result | null {
    if (this.#log === null) return null
    try {
      return work(this.#log)
    } catch {
      this.#remove()
      return null
    }
  }

  #remove(): void {
    this.#log?.remove()
    this.#log = null
  }

  /** Begins again without the parts of a load that has failed. */
  #dropLoaded(): void {
    const position = this.#log?.position ?? null
    if (!this.#isLoading || position === null) return
    this.#remove()
    this.#log = freshLog(this.#dir, { ...position, isComplete: position.batch === 0 })
  }
}

// The loops over keys are functions of their own: V8 drops the compiled code of an inner function with
// its last closure, and would compile it again for every batch.

/** Adds the texts of keys to `found`. Returns the keys that only the warehouse knows. */
function findTexts(
  log: StateLog,
  space: number,
  keys: readonly string[],
  found: Map<string, string>,
): string[] {
  const unknown: string[] = []
  for (const key of keys) {
    const record = log.get(space, key)
    if (record?.type === 'value') found.set(key, record.text)
    else if (isUnknown(log, record)) unknown.push(key)
  }
  return unknown
}

/** Adds the segments of streams to `found`. Returns the streams that only the warehouse knows. */
function findChains(
  log: StateLog,
  streams: readonly string[],
  found: Map<string, string[]>,
): string[] {
  const unknown: string[] = []
  for (const stream of streams) {
    const record = log.get(HISTORY, stream)
    if (record?.type === 'value') found.set(stream, log.chain(record))
    else if (isUnknown(log, record)) unknown.push(stream)
  }
  return unknown
}

/** Returns whether only the warehouse knows what a key without a value has. */
function isUnknown(log: StateLog, record: StateRecord | null): boolean {
  return record === null ? log.position?.isComplete !== true : record.type === 'unknown'
}

/** Returns the hashes of the ids of a commit's events. */
function eventHashes({ inserts }: Commit): BigUint64Array {
  const hashes = inserts.get('events')?.getChild('event_hash')?.toArray()
  return (hashes as BigUint64Array | undefined) ?? new BigUint64Array()
}

/** Returns the columns of a commit that the log has records of. */
function columnsOf({ images, inserts }: Commit): WrittenColumns[] {
  const columns: WrittenColumns[] = []
  for (const [kind, rows] of images) {
    columns.push({
      ...keyed(rows, 'key', 'image'),
      space: IMAGE_KINDS.indexOf(kind),
      isNext: false,
    })
  }
  const history = inserts.get('history')
  if (history !== undefined) {
    columns.push({ ...keyed(history, 'stream', 'segment'), space: HISTORY, isNext: true })
  }
  return columns
}

/** Returns keys and texts of a table that has the hash of its key in `k`. */
function keyed(rows: Table, key: string, text: string) {
  const hashes = rows.getChild('k')?.toArray() as BigUint64Array
  return {
    hashes: wordsOf(hashes),
    keys: textColumn(rows, key),
    texts: textColumn(rows, text),
  }
}

function positionAfter(
  log: StateLog,
  { batch, recordedAt }: Pick<Commit, 'batch' | 'recordedAt'>,
): Position {
  return { ...(log.position as Position), batch, recordedAt }
}

function chainOf(stream: string, texts: readonly string[]): Written[] {
  return texts.map((text, i) => ({
    type: 'value',
    space: HISTORY,
    key: stream,
    text,
    isNext: i > 0,
  }))
}
