/** Outcomes of final states on record, and what the definitions declare otherwise. */

import type { Definitions, Release } from '../definition/load.ts'
import type { FinalState } from '../definition/outcome.ts'
import type { ReleaseLog } from './release-log.ts'
import type { Warehouse } from './warehouse.ts'

/**
 * Returns the final states whose outcome is to be put on record: of versions that are registered or
 * about to be, those without an outcome on record or with another.
 */
export async function undeclaredOutcomes(
  warehouse: Warehouse,
  { finalStates }: Definitions,
  log: ReleaseLog,
  unreleased: readonly Release[],
): Promise<FinalState[]> {
  if (finalStates.length === 0) return []
  const isKnown = ({ journey, version }: FinalState) =>
    log.registered('journey', journey, version) !== undefined ||
    unreleased.some(({ kind, id }) => kind === 'journey' && id === journey)
  const rows = await warehouse.query(
    'select journey, version, track, state, outcome from outcomes order by recorded_by',
  )
  const onRecord = new Map((rows as FinalState[]).map((row) => [keyOf(row), row.outcome]))
  return finalStates.filter((one) => isKnown(one) && onRecord.get(keyOf(one)) !== one.outcome)
}

function keyOf({ journey, version, track, state }: FinalState): string {
  return `${journey} ${version} ${track} ${state}`
}
