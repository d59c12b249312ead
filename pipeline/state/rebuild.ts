/** Rebuild of a local state store: the latest image of each key, and all history, from the warehouse. */

import { attempt } from './attempt.ts'
import { HISTORY, numberOf } from './catch-up.ts'
import type { StateLog } from './state-log.ts'
import type { Position, Written } from './written.ts'
import { imageTable } from '../warehouse/image-tables.ts'
import { IMAGE_KINDS, type Row, type Warehouse } from '../warehouse/warehouse.ts'

/** A warehouse with more images and segments is read key by key. */
const ROWS_MAX = 2_000_000

/** Called with the number of images and segments read so far, and of all of them, about. */
export type OnRebuild = (done: number, total: number) => void

/** Reads the state of a warehouse, whose head is at the position, into an empty log. Returns false if
 * there is too much, or the log fails. The log must be removed then, and if this rejects. */
export async function rebuild(
  log: StateLog,
  warehouse: Warehouse,
  position: Position,
  onRebuild: OnRebuild,
): Promise<boolean> {
  const tables = [...IMAGE_KINDS.map(imageTable), 'history']
  const counts = tables.map((table) => `(select count(*) from ${table})`)
  const total = await numberOf(warehouse, `select ${counts.join(' + ')} as n`)
  if (total > ROWS_MAX) return false
  let done = 0
  const read = async (sql: string, recordOf: (row: Row) => Written): Promise<boolean> => {
    for await (const rows of warehouse.stream(sql)) {
      if (!isDone(() => log.add(rows.map(recordOf)))) return false
      done += rows.length
      onRebuild(done, total)
    }
    return true
  }
  for (const [space, kind] of IMAGE_KINDS.entries()) {
    const isRead = await read(
      `select key, image from ${imageTable(kind)} where true
       qualify row_number() over (partition by key order by recorded_by desc) = 1`,
      ({ key, image }) => ({ type: 'value', space, key: key as string, text: image as string }),
    )
    if (!isRead) return false
  }
  const isRead = await read(
    'select stream, segment from history order by recorded_by',
    ({ stream, segment }) => ({
      type: 'value',
      space: HISTORY,
      key: stream as string,
      text: segment as string,
      isNext: true,
    }),
  )
  return isRead && isDone(() => log.write([], { ...position, isComplete: true }))
}

function isDone(work: () => void): boolean {
  return attempt(() => (work(), true)) ?? false
}
