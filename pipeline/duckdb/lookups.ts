/**
 * Lookups of a batch in a DuckDB file before its commit. They use another connection, so that the
 * previous commit may still be in flight: its content is added to the result, visible or not.
 */

import { hashTable, uuidTable } from '../warehouse/arrow/arrow.ts'
import type { DuckDBFile } from './file.ts'
import { KeyedTables } from './keyed-tables.ts'
import { LOOKUP_STATEMENTS } from './schema.ts'
import type { UnderWay } from './pending-commit.ts'
import type {
  Commit,
  EffectFate,
  ImageKind,
  LandedContent,
  ReadCounts,
} from '../warehouse/warehouse.ts'

/** Latest events among which repeated ones are looked up first. */
const RECENT_EVENTS = 200_000

export class DuckDBLookups {
  readonly #file: DuckDBFile
  readonly #keyed: KeyedTables
  readonly #reads: ReadCounts
  #underWay: UnderWay | null = null

  private constructor(file: DuckDBFile, keyed: KeyedTables, reads: ReadCounts) {
    this.#file = file
    this.#keyed = keyed
    this.#reads = reads
  }

  /** Opens the lookups. `reads` counts the rows read. */
  static async open(writer: DuckDBFile, reads: ReadCounts): Promise<DuckDBLookups> {
    const file = await writer.beside()
    await file.run(LOOKUP_STATEMENTS.join(';\n'))
    return new DuckDBLookups(file, await KeyedTables.open(file, writer), reads)
  }

  /** Registers a commit in flight, until its promise settles. */
  begin(underWay: UnderWay): void {
    this.#underWay = underWay
    const end = () => {
      if (this.#underWay === underWay) this.#underWay = null
    }
    underWay.done.then(end, end)
  }

  /** Must be called after images are committed. */
  async settle(images: Commit['images']): Promise<void> {
    for (const [kind, rows] of images) await this.#keyed.settle(kind, rows)
  }

  async images(kind: ImageKind, keys: string[]): Promise<Map<string, string>> {
    const rows = await this.#keyed.images(kind, keys)
    this.#reads.images += rows.length
    return new Map(rows.map((row) => [row['key'] as string, row['image'] as string]))
  }

  async segments(streams: string[]): Promise<Map<string, string[]>> {
    const underWay = this.#underWay
    const rows = await this.#keyed.segments(streams, underWay?.batch ?? Infinity)
    this.#reads.segments += rows.length
    const segments = new Map<string, string[]>()
    const add = (stream: string, segment: string) => {
      const list = segments.get(stream)
      if (list === undefined) segments.set(stream, [segment])
      else list.push(segment)
    }
    for (const row of rows) add(row['stream'] as string, row['segment'] as string)
    for (const stream of underWay === null ? [] : streams) {
      const segment = underWay?.segmentOf(stream)
      if (segment !== undefined) add(stream, segment)
    }
    return segments
  }

  async due(after: number | null, upTo: number): Promise<string[]> {
    const underWay = this.#underWay
    const from = after === null ? '' : `due_at > make_timestamptz(${after}) and `
    const rows = await this.#file.query(
      `select distinct profile_id from timer where ${from}due_at <= make_timestamptz(${upTo})`,
    )
    this.#reads.timers += rows.length
    const found = rows.map((row) => row['profile_id'] as string)
    if (underWay === null) return found
    return [...new Set([...found, ...underWay.due(after ?? -Infinity, upTo)])]
  }

  async fingerprints(hashes: BigUint64Array): Promise<Map<bigint, bigint>> {
    if (hashes.length === 0) return new Map()
    const underWay = this.#underWay
    const found = await this.#stored(hashes)
    for (const [hash, fingerprint] of underWay?.landed.fingerprints(hashes) ?? []) {
      found.set(hash, fingerprint)
    }
    return found
  }

  /** Returns the fingerprints of stored events: first among the latest ones, which most repeated
   * events repeat, then among all. */
  async #stored(hashes: BigUint64Array): Promise<Map<bigint, bigint>> {
    await this.#file.refill('wanted_hash', hashTable(hashes))
    const [since] = await this.#file.query(
      `select batch from (select batch, sum(landed_count) over (order by batch desc) as events
         from batches_log) where events > ${RECENT_EVENTS} order by batch desc limit 1`,
    )
    if (since === undefined) return this.#storedSince(0)
    const found = await this.#storedSince(since['batch'] as number)
    const missing = hashes.filter((hash) => !found.has(hash))
    if (missing.length === 0) return found
    await this.#file.refill('wanted_hash', hashTable(missing))
    return new Map([...found, ...(await this.#storedSince(0))])
  }

  async #storedSince(batch: number): Promise<Map<bigint, bigint>> {
    const rows = await this.#file.query(
      `select cast(event_hash as varchar) as hash, cast(fingerprint as varchar) as fingerprint
       from events_log semi join wanted_hash on wanted_hash.k = events_log.event_hash
       where recorded_by >= ${batch}`,
    )
    this.#reads.landed += rows.length
    return new Map(
      rows.map((row) => [BigInt(row['hash'] as string), BigInt(row['fingerprint'] as string)]),
    )
  }

  async landed(eventIds: string[], hashes: BigUint64Array): Promise<LandedContent[]> {
    await this.#onRecord()
    return landedIn(this.#file, eventIds, hashes)
  }

  async deadLetters(ids: string[]): Promise<Set<string>> {
    await this.#onRecord()
    return deadLettersIn(this.#file, ids)
  }

  async outbox(ids: string[]): Promise<Map<string, EffectFate>> {
    await this.#onRecord()
    await this.#file.refill('wanted_id', uuidTable(ids))
    const rows = await this.#file.query(
      `select effect_id as id, case when bool_or(kind = 'retraction') then 'retracted'
         else any_value(status) end as fate from effects_log
       semi join wanted_id on wanted_id.id = effects_log.effect_id group by effect_id`,
    )
    return new Map(rows.map((row) => [row['id'] as string, row['fate'] as EffectFate]))
  }

  /** Waits for the commit in flight. Used by lookups that are late in a batch, or rare. */
  async #onRecord(): Promise<void> {
    await this.#underWay?.done
  }

  close(): void {
    this.#file.close()
  }
}

/** Returns the content of the given events. The connection has the temporary lookup tables. */
export async function landedIn(
  file: DuckDBFile,
  eventIds: string[],
  hashes: BigUint64Array,
): Promise<LandedContent[]> {
  await file.refill('wanted_hash', hashTable(hashes))
  const rows = await file.query(
    `select event_id, name, occurred_at, ordinal, source, identifiers, properties, context,
       alias, unlink
     from events_log where rowid in (select events_log.rowid from events_log
       semi join wanted_hash on wanted_hash.k = events_log.event_hash)`,
  )
  const wanted = new Set(eventIds)
  return (rows as LandedContent[]).filter((row) => wanted.has(row.event_id))
}

/** Returns those of the given dead letters that are stored. */
export async function deadLettersIn(file: DuckDBFile, ids: string[]): Promise<Set<string>> {
  await file.refill('wanted_id', uuidTable(ids))
  const rows = await file.query(
    `select dead_letter_id as id from dead_letters_log
     semi join wanted_id on wanted_id.id = dead_letters_log.dead_letter_id`,
  )
  return new Set(rows.map((row) => row['id'] as string))
}
