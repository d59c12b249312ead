/** Comparison of a local state store with its warehouse, and what it has missed. */

import { attempt } from './attempt.ts'
import { EventFilter } from './event-filter.ts'
import type { Position, Written } from './written.ts'
import { IMAGE_KINDS, type Warehouse } from '../warehouse/warehouse.ts'

/** Key space of history; the key spaces of images are the numbers of their kinds. */
export const HISTORY = IMAGE_KINDS.length
/** A store that has missed changes of more keys is rebuilt. */
const MISSED_MAX = 200_000
/** A filter that has missed more events is not used. */
const MISSED_EVENTS_MAX = 1_000_000
/** A filter is made for a warehouse of at most so many events. */
const READ_EVENTS_MAX = 200_000

/** Returns whether a store at a position belongs to this warehouse and nothing was rewritten since. */
export async function isOf(
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
export async function changedSince(warehouse: Warehouse, batch: number): Promise<Written[] | null> {
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

export async function numberOf(warehouse: Warehouse, sql: string): Promise<number> {
  const [row] = await warehouse.query(sql)
  return row?.['n'] as number
}

/** Returns a filter with the ids of all events of the warehouse, whose last batch is `batch`: the one
 * in the folder of a store at `position`, with those that it has missed. Returns null if these are
 * too many. */
export async function filterOf(
  dir: string,
  warehouse: Warehouse,
  position: Position,
  batch: number,
): Promise<EventFilter | null> {
  const found = attempt(() => EventFilter.read(dir))
  const isKnown = found !== null && (await isAt(warehouse, found.position, position, batch))
  const from = isKnown ? found.position.batch : 0
  const filter = isKnown ? found.filter : new EventFilter()
  if (from === batch) return filter
  const landed = await numberOf(
    warehouse,
    `select coalesce(sum(landed_count), 0) as n from batches where batch > ${from}`,
  )
  if (landed > (isKnown ? MISSED_EVENTS_MAX : READ_EVENTS_MAX)) return null
  const rows = warehouse.stream(
    `select cast(event_hash as string) as hash from events_log where recorded_by > ${from}`,
  )
  for await (const some of rows) {
    filter.add(BigUint64Array.from(some, ({ hash }) => BigInt(hash as string)))
  }
  return filter
}

/** Whether a filter at a position belongs to the warehouse of a store that does. */
async function isAt(
  warehouse: Warehouse,
  position: Position,
  store: Position,
  batch: number,
): Promise<boolean> {
  const isSame = position.batch === store.batch && position.recordedAt === store.recordedAt
  return isSame || isOf(warehouse, position, batch, store.erasures)
}
