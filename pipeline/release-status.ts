/** Which versions a warehouse holds, which are live, and how far the others have fallen behind. */

import { isSame, ReleaseLog, type RecordedEntry } from './releases.ts'
import type { Warehouse } from './warehouse.ts'

export type VersionStatus = {
  kind: string
  id: string
  version: number
  isLive: boolean
  /** Batches since its rows were last brought up to date that could have changed them. */
  behind: number
  /** Of the version's rows, as they stand. */
  transitions: number
}

export async function versionStatuses(warehouse: Warehouse): Promise<VersionStatus[]> {
  const log = await ReleaseLog.read(warehouse)
  const live = log.live()
  const batches = await telling(warehouse)
  const counts = await warehouse.query(
    `select journey as id, version, count(*) as transitions from transition_facts
     where superseded_at is null group by journey, version`,
  )
  return log.entries
    .filter(({ kind, action }) => action === 'registered' && isVersioned(kind))
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
        transitions: kind === 'journey' ? ((count?.['transitions'] as number | undefined) ?? 0) : 0,
      }
    })
    .sort((a, b) => (a.id === b.id ? a.version - b.version : a.id < b.id ? -1 : 1))
}

function isVersioned(kind: string): boolean {
  return kind === 'journey' || kind === 'funnel'
}

/** Batches that landed events or moved the watermark. */
async function telling(warehouse: Warehouse): Promise<number[]> {
  const rows = await warehouse.query(
    `select batch from (
       select batch, landed_count, watermark, lag(watermark) over (order by batch) as before
       from batches
     ) as steps
     where landed_count > 0 or (watermark is not null and (before is null or before < watermark))`,
  )
  return rows.map((row) => row['batch'] as number)
}

/** The last batch whose events the rows of a version that is not live follow from. */
function currentUpTo(log: ReleaseLog, entry: RecordedEntry): number {
  let upTo = 0
  let isLive = false
  for (const one of log.entries) {
    if (one.kind !== entry.kind || one.id !== entry.id) continue
    const isMove = one.action === 'promoted' || one.action === 'rolled_back'
    if (isLive && isMove && one.version !== entry.version) upTo = one.batch - 1
    if (one.version === entry.version && one.action !== 'registered') upTo = one.batch
    if (isMove) isLive = one.version === entry.version
  }
  return upTo
}
