/** Status of all versions in a warehouse: which are live, and how far the others are behind. */

import {
  isMove,
  isSame,
  isVersioned,
  ReleaseLog,
  type RecordedEntry,
} from '../warehouse/release-log.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

export type VersionStatus = {
  kind: string
  id: string
  version: number
  isLive: boolean
  /** Batches since the last build of its rows that could have changed them. */
  behind: number
  /** Whether rows of only some profiles are built. */
  isPartial: boolean
  /** Current transitions of the version. */
  transitions: number
}

export async function versionStatuses(warehouse: Warehouse): Promise<VersionStatus[]> {
  const log = await ReleaseLog.read(warehouse)
  const live = log.live()
  const batches = await telling(warehouse, log)
  const counts = await warehouse.query(
    `select journey as id, version, count(*) as transitions from transition_facts
     where superseded_at is null group by journey, version`,
  )
  return log.entries
    .filter((entry) => entry.action === 'registered' && isVersioned(entry))
    .map((entry) => {
      const { kind, id, version } = entry
      const isLive = live.some((one) => isSame(one, entry))
      const upTo = isLive ? Infinity : currentUpTo(log, entry)
      const count = counts.find((row) => row['id'] === id && row['version'] === version)
      return {
        kind,
        id,
        version,
        isLive,
        behind: batches.filter((batch) => batch > upTo).length,
        isPartial: upTo === 0,
        transitions: kind === 'journey' ? ((count?.['transitions'] as number | undefined) ?? 0) : 0,
      }
    })
    .sort((a, b) => (a.id === b.id ? a.version - b.version : a.id < b.id ? -1 : 1))
}

/** Returns the batches that landed events, moved the watermark, or changed identity or sessions. */
async function telling(warehouse: Warehouse, log: ReleaseLog): Promise<number[]> {
  const rows = await warehouse.query(
    `select batch from (
       select batch, landed_count, watermark, lag(watermark) over (order by batch) as before
       from batches
     ) as steps
     where landed_count > 0 or (watermark is not null and (before is null or before < watermark))`,
  )
  const landed = rows.map((row) => row['batch'] as number)
  const resolved = log.entries.filter((one) => one.kind === 'identity' || one.kind === 'sessions')
  return [...new Set([...landed, ...resolved.map(({ batch }) => batch)])]
}

/** Returns the last batch that is included in the rows of a version that is not live. */
function currentUpTo(log: ReleaseLog, entry: RecordedEntry): number {
  let upTo = 0
  let isLive = false
  for (const one of log.entries) {
    if (one.kind !== entry.kind || one.id !== entry.id) continue
    const moves = isMove(one.action)
    if (isLive && moves && one.version !== entry.version) upTo = one.batch - 1
    if (one.version === entry.version && (moves || one.action === 'replayed')) upTo = one.batch
    if (moves) isLive = one.version === entry.version
  }
  return upTo
}
