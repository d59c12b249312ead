/** Counts the instances in each state of a journey, and the uses of each transition. */

import { UserError } from '../../pipeline/base/errors.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { ReleaseLog } from '../../pipeline/warehouse/release-log.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import type { Counts } from './mermaid.ts'

/** Returns the counts. Throws a `UserError` if another version or none is live in the warehouse. */
export async function countJourney(
  warehouse: Warehouse,
  { id, version }: Journey,
): Promise<Counts> {
  const releases = (await ReleaseLog.read(warehouse)).live()
  const live = releases.find((release) => release.kind === 'journey' && release.id === id)
  if (live?.version !== version) {
    const has = live === undefined ? 'does not have it' : `has version ${live.version}`
    throw new UserError(
      `journey ${id} ${version} cannot be counted: ${warehouse.url} ${has}; ` +
        'give the warehouse of this definition, or leave --warehouse out',
    )
  }
  return countsOf(
    await warehouse.query(
      `select track, state, count(*) as inside from states
       where journey = ? and exited_at is null group by track, state`,
      [id],
    ),
    await warehouse.query(
      `select track, from_state, to_state, cause, event_name, count(*) as taken
       from transitions where journey = ?
       group by track, from_state, to_state, cause, event_name`,
      [id],
    ),
  )
}

function countsOf(inside: Row[], taken: Row[]): Counts {
  const key = (...parts: unknown[]) => JSON.stringify(parts)
  const insideOf = new Map(
    inside.map((row) => [key(row['track'], row['state']), row['inside'] as number]),
  )
  const takenOf = new Map<string, number>()
  for (const row of taken) {
    // Starts are counted together, whichever event caused them.
    const event = row['cause'] === 'event' ? row['event_name'] : null
    const way = key(row['track'], row['from_state'], row['to_state'], event)
    takenOf.set(way, (takenOf.get(way) ?? 0) + (row['taken'] as number))
  }
  return {
    inside: (track, state) => insideOf.get(key(track, state)) ?? 0,
    taken: (track, from, to, event) => takenOf.get(key(track, from, to, event)) ?? 0,
  }
}
