/**
 * All versions of some profiles: their events with the owning profile, their sessions and their
 * identifiers. Each row has the time it was recorded and superseded.
 */

import { marksOf } from '../warehouse/parameters.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

export type Versions = {
  /** In event order. An event has one row per version of its owning profile. */
  events: Row[]
  sessions: Row[]
  /** By first occurrence. */
  identities: Row[]
}

/** Reads all versions. Memory is bounded by the profiles' events and their changes. */
export async function versionsOf(
  warehouse: Warehouse,
  profileIds: readonly string[],
): Promise<Versions> {
  const ask = (sql: string) => warehouse.query(sql, [...profileIds])
  const asked = `profile_id in (${marksOf(profileIds)})`
  return {
    events: await ask(
      `select events.event_id, name, occurred_at, ordinal, source, profile_id, session_id,
         identifiers, properties, context, alias, whose.recorded_at, whose.superseded_at
       from events inner join event_profile_versions as whose on whose.event_id = events.event_id
       where ${asked} order by occurred_at, ordinal, events.event_id, whose.recorded_at`,
    ),
    sessions: await ask(
      `select session_id, profile_id, stream, started_at, ended_at, event_count, source,
         started_because, recorded_at, superseded_at
       from session_versions where ${asked}`,
    ),
    identities: await ask(
      `select namespace || ':' || value as identifier, profile_id, first_seen_at, last_seen_at,
         event_count, recorded_at, superseded_at
       from identity_versions where ${asked} order by first_seen_at, identifier`,
    ),
  }
}

/** Returns the rows of a profile as of an instant; null means now. */
export function believedOf(
  rows: readonly Row[],
  { profileId, asOf }: { profileId: string; asOf: number | null },
): Row[] {
  return rows.filter((row) => row['profile_id'] === profileId && isBelieved(row, asOf))
}

function isBelieved(row: Row, asOf: number | null): boolean {
  const until = row['superseded_at'] as number | null
  if (asOf === null) return until === null
  return (row['recorded_at'] as number) <= asOf && (until === null || until > asOf)
}
