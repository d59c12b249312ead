/**
 * All that was ever believed of some profiles, read at once: every version of whose their events
 * are, of their sessions and of their identifiers. Each row says from when until when.
 */

import type { Row, Warehouse } from '../warehouse/warehouse.ts'

export type Versions = {
  /** The events with what they say, in event order; once for every belief whose they are. */
  events: Row[]
  sessions: Row[]
  /** By when they were first seen. */
  identities: Row[]
}

/** Memory is bounded by the profiles' events, and by how often beliefs about them changed. */
export async function versionsOf(
  warehouse: Warehouse,
  profileIds: readonly string[],
): Promise<Versions> {
  const ask = (sql: string) => warehouse.query(sql, [...profileIds])
  const asked = `profile_id in (${listOf(profileIds)})`
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

/** What stands for the profiles in a list of an SQL text. */
export function listOf(profileIds: readonly string[]): string {
  return profileIds.map((_, i) => `$${i + 1}`).join(', ')
}

/** The rows of a profile as they were believed at an instant; null: now. */
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
