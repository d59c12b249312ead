/**
 * Local state store: a log in a folder, for a long-lived or repeated run over a warehouse.
 *
 * It is written after the commit and records the batch it is up to. It is discarded if it is ahead
 * of the warehouse, belongs to another warehouse, or predates an erasure or a takeover. If it is
 * behind, it forgets the keys that changed meanwhile. Missing keys are read from the warehouse.
 * After any failure the store is removed and the warehouse is read instead, so a batch never fails
 * because of it.
 */

import { readFileSync, rmSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Table } from 'apache-arrow'
import { StateLog } from './state-log.ts'
import type { Position, Written, WrittenColumns } from './written.ts'
import type { StateStore } from './state-store.ts'
import { textColumn } from '../warehouse/arrow/arrow.ts'
import { CommitSegments } from '../warehouse/commit-segments.ts'
import { IMAGE_KINDS, type Commit, type ImageKind, type Warehouse } from '../warehouse/warehouse.ts'

/** Key space of history; the key spaces of images are the numbers of their kinds. */
const HISTORY = IMAGE_KINDS.length
/** A store that has missed changes of more keys is rebuilt. */
const MISSED_MAX = 200_000

/** Opens the store in a folder. Returns null if another process has it open or the folder cannot be
 * used. The warehouse must be open. */
export async function openLocalState(
  dir: string,
  warehouse: Warehouse,
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
      const state = new LocalState(dir, log, warehouse)
      if (isBehind) state.write(changed, { ...position, batch, recordedAt })
      return state
    }
  }
  return attempt(() => {
    log.remove()
    if (!lock(dir)) return null
    const fresh = StateLog.open(dir)
    fresh.write([], { batch, recordedAt, erasures, isComplete: batch === 0 })
    return new LocalState(dir, fresh, warehouse)
  })
}

/** Returns the result of `work`, or null if it fails. */
function attempt<Result>(work: () => Result | null): Result | null {
  try {
    return work()
  } catch {
    return null
  }
}

class LocalState implements StateStore {
  readonly #dir: string
  readonly #warehouse: Warehouse
  /** Null after a failure, when the store is removed. */
  #log: StateLog | null
  /** Segments of the commit in flight. */
  #underWay: CommitSegments | null = null

  constructor(dir: string, log: StateLog, warehouse: Warehouse) {
    this.#dir = dir
    this.#log = log
    this.#warehouse = warehouse
  }

  async images(kind: ImageKind, keys: string[]): Promise<Map<string, string>> {
    const space = IMAGE_KINDS.indexOf(kind)
    const found = new Map<string, string>()
    const unknown = this.#try((log) => {
      return keys.filter((key) => {
        const record = log.get(space, key)
        if (record?.type === 'value') found.set(key, record.text)
        return record === null ? log.position?.isComplete !== true : record.type === 'unknown'
      })
    })
    if (unknown === null) return this.#warehouse.images(kind, keys)
    if (unknown.length === 0) return found
    const read = await this.#warehouse.images(kind, unknown)
    this.#learn([...read].map(([key, text]) => ({ type: 'value', space, key, text })))
    for (const [key, text] of read) found.set(key, text)
    return found
  }

  async segments(streams: string[]): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>()
    const unknown = this.#try((log) => {
      return streams.filter((stream) => {
        const record = log.get(HISTORY, stream)
        if (record?.type === 'value') found.set(stream, log.chain(record))
        return record === null ? log.position?.isComplete !== true : record.type === 'unknown'
      })
    })
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

  async follow(commit: Commit, committed: Promise<void>): Promise<void> {
    this.#underWay = new CommitSegments(commit)
    try {
      await committed
      this.#try((log) => log.writeColumns(columnsOf(commit), positionAfter(log, commit)))
    } finally {
      this.#underWay = null
    }
  }

  skip({ batch, recordedAt }: Pick<Commit, 'batch' | 'recordedAt'>): void {
    this.#try((log) => {
      const position = log.position as Position
      log.write([], { ...position, batch, recordedAt, isComplete: false })
    })
  }

  close(): void {
    this.#try((log) => log.close())
    this.#log = null
    rmSync(join(this.#dir, 'lock'), { force: true })
  }

  /** Records what the warehouse has at a position. */
  write(written: readonly Written[], position: Position): void {
    this.#try((log) => log.write(written, position))
  }

  #learn(written: readonly Written[]): void {
    const position = this.#log?.position ?? null
    if (position !== null && written.length > 0) this.write(written, position)
  }

  /** Runs `work` with the log. After a failure, removes the store and returns null. */
  #try<Result>(work: (log: StateLog) => Result): Result | null {
    if (this.#log === null) return null
    try {
      return work(this.#log)
    } catch {
      const log = this.#log
      this.#log = null
      log.remove()
      return null
    }
  }
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
    hashes: new Uint32Array(hashes.buffer, hashes.byteOffset, 2 * hashes.length),
    keys: textColumn(rows, key),
    texts: textColumn(rows, text),
  }
}

function positionAfter(log: StateLog, { batch, recordedAt }: Commit): Position {
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

/** Returns whether a store at a position belongs to this warehouse and nothing was rewritten since. */
async function isOf(
  warehouse: Warehouse,
  position: Position,
  batch: number,
  erasures: number,
): Promise<boolean> {
  if (position.batch > batch || position.erasures !== erasures) return false
  if (position.batch === 0) return batch === 0
  const isThere = await numberOf(
    warehouse,
    `select count(*) as n from batches where batch = ${position.batch} ` +
      `and unix_micros(recorded_at) = ${position.recordedAt}`,
  )
  if (isThere !== 1) return false
  const takeovers = await numberOf(
    warehouse,
    `select count(*) as n from releases_log where action <> 'registered' ` +
      `and recorded_by > ${position.batch}`,
  )
  return takeovers === 0
}

/** Returns markers for the keys that commits after a batch have changed; null if there are too
 * many. */
async function changedSince(warehouse: Warehouse, batch: number): Promise<Written[] | null> {
  const written: Written[] = []
  const mark = async (table: string, column: string, space: number) => {
    const rows = warehouse.stream(
      `select distinct ${column} as key from ${table} where recorded_by > ${batch}`,
    )
    for await (const some of rows) {
      if (written.length + some.length > MISSED_MAX) return false
      for (const { key } of some) {
        written.push({ type: 'unknown', space, key: key as string, text: '' })
      }
    }
    return true
  }
  for (const [space, kind] of IMAGE_KINDS.entries()) {
    if (!(await mark(`${kind}_image`, 'key', space))) return null
  }
  return (await mark('history', 'stream', HISTORY)) ? written : null
}

async function numberOf(warehouse: Warehouse, sql: string): Promise<number> {
  const [row] = await warehouse.query(sql)
  return row?.['n'] as number
}

/** Locks the folder for this process. A lock is void if its process is gone, or has this process's
 * id from before a restart. */
function lock(dir: string): boolean {
  mkdirSync(dir, { recursive: true })
  const path = join(dir, 'lock')
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return true
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
      const holder = Number(readFileSync(path, 'utf8'))
      if (holder !== process.pid && isAlive(holder)) return false
      rmSync(path, { force: true })
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch {
    return false
  }
}
