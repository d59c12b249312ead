/** Corrections of a profile: what was superseded, when, why, and by which events. */

import { instantLiteral } from './as-of.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

export type Correction = {
  /** When and by which batch it was superseded, and the input of that batch. */
  at: number
  batch: number
  origin: string
  because: string
  /** Events of the profile that landed with that batch. */
  events: { eventId: string; name: string; occurredAt: number }[]
  /** The superseded rows as text. */
  takenBack: string[]
}

const SHOWN_OF_BATCH = 20

export async function correctionsOf(question: {
  warehouse: Warehouse
  profileId: string
  asOf: number | null
}): Promise<Correction[]> {
  const { warehouse, profileId, asOf } = question
  const then =
    asOf === null
      ? ''
      : `and recorded_at <= ${instantLiteral(asOf)}
    and superseded_at > ${instantLiteral(asOf)}`
  const gone = `superseded_because <> 'progress' ${then}`
  const rows = await warehouse.query(
    `select superseded_at, superseded_by, superseded_because, what, origin from (
       select superseded_at, superseded_by, superseded_because, occurred_at as happened_at,
         journey || ': ' || coalesce(from_state || ' → ', 'started in ') || to_state ||
         ' by ' || coalesce(event_id, 'timeout') as what
       from transition_facts where profile_id = ? and ${gone}
       union all
       select superseded_at, superseded_by, superseded_because, occurred_at,
         journey || ': ' || event_id || ' refused in ' || state
       from rejection_facts where profile_id = ? and ${gone}
       union all
       select superseded_at, superseded_by, superseded_because, occurred_at,
         was.event_id || ' was of ' || was.profile_id
       from event_profile_versions as was
       inner join events on events.event_id = was.event_id
       inner join event_profiles on event_profiles.event_id = was.event_id
       where event_profiles.profile_id = ? and was.profile_id <> ?
         and ${gone.replaceAll('recorded_at', 'was.recorded_at')}
     ) as gone
     inner join batches on batches.batch = superseded_by
     order by superseded_by, superseded_because, happened_at, what`,
    [profileId, profileId, profileId, profileId],
  )
  const events = await warehouse.query(
    `select events.recorded_by as batch, events.event_id, name, occurred_at
     from events inner join event_profiles on event_profiles.event_id = events.event_id
     where profile_id = ? order by occurred_at, ordinal, events.event_id`,
    [profileId],
  )
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = `${row['superseded_by']} ${row['superseded_because']}`
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups.values()].map((group) => correctionOf(group, events))
}

function correctionOf(group: Row[], events: Row[]): Correction {
  const [first] = group as [Row]
  const batch = first['superseded_by'] as number
  return {
    at: first['superseded_at'] as number,
    batch,
    origin: first['origin'] as string,
    because: first['superseded_because'] as string,
    events: events
      .filter((event) => event['batch'] === batch)
      .slice(0, SHOWN_OF_BATCH)
      .map((event) => ({
        eventId: event['event_id'] as string,
        name: event['name'] as string,
        occurredAt: event['occurred_at'] as number,
      })),
    takenBack: group.map((row) => row['what'] as string),
  }
}
