/**
 * Compares two versions of a journey over the current rows of both: states of profiles, funnels,
 * refused events, and the profiles that differ most.
 *
 * A profile differs if the versions give it different transitions. Its state in a track is that of
 * its latest visit, in whichever instance.
 */

import type { Row, Warehouse } from '../warehouse/warehouse.ts'

const TELLING_MAX = 20

/** A transition that only one version has. */
export type Move = {
  from: string | null
  to: string
  /** Null for a timeout. */
  event: string | null
  eventId: string | null
  at: number
}

export type ReleaseDiff = {
  profiles: number
  /** Profiles with different transitions. */
  differing: number
  /** By track, the state of profiles under each version; null for none. */
  states: { track: string; before: string | null; after: string | null; profiles: number }[]
  funnels: { funnel: string; step: string; before: number; after: number }[]
  /** Events that moved an instance, and events that were refused. */
  asked: { before: EventCounts; after: EventCounts }
  /** Profiles with the most differing transitions, and the first one under each version. */
  telling: { profile: string; moves: number; before: Move | null; after: Move | null }[]
}

export type EventCounts = { moved: number; refused: number }

export async function releaseDiff(
  warehouse: Warehouse,
  journey: string,
  before: number,
  after: number,
): Promise<ReleaseDiff> {
  const asked = [journey, before, after]
  const ask = (sql: string, more: (string | number)[] = []) =>
    warehouse.query(sql, [...asked, ...more])
  const [radius] = await ask(
    `${DIFFERING} select (select count(distinct profile_id) from moves) as profiles,
       (select count(distinct profile_id) from differing) as differing`,
  )
  return {
    profiles: radius?.['profiles'] as number,
    differing: radius?.['differing'] as number,
    states: (await ask(STATES, [before, after])) as ReleaseDiff['states'],
    funnels: (await ask(FUNNELS, [before, after])) as ReleaseDiff['funnels'],
    asked: askedOf(await ask(ASKED, asked), before, after),
    telling: tellingOf(await ask(TELLING), before),
  }
}

const BELIEVED = 'superseded_at is null and journey = ? and version in (?, ?)'

const DIFFERING = `with moves as (
  select version, profile_id, instance_id, track, cause, event_id, event_name, occurred_at,
    from_state, to_state, seq
  from transition_facts where ${BELIEVED}
),
differing as (
  select profile_id, instance_id, track, cause, event_id, event_name, occurred_at, from_state,
    to_state, min(version) as version, min(seq) as seq
  from moves
  group by profile_id, instance_id, track, cause, event_id, event_name, occurred_at, from_state,
    to_state
  having count(distinct moves.version) = 1
)`

const STATES = `with latest as (
  select version, profile_id, track, state,
    row_number() over (
      partition by version, profile_id, track
      order by entered_at desc, exited_at is null desc, visit desc, state_id
    ) as place
  from state_versions where ${BELIEVED}
),
earlier as (select profile_id, track, state from latest where version = ? and place = 1),
later as (select profile_id, track, state from latest where version = ? and place = 1),
paired as (
  select coalesce(earlier.track, later.track) as track, earlier.state as before,
    later.state as after
  from earlier full outer join later
    on later.profile_id = earlier.profile_id and later.track = earlier.track
)
select track, before, after, count(*) as profiles from paired
group by track, before, after order by track, profiles desc, before, after`

const FUNNELS = `with reached as (
  select funnel, step_no, step, version, count(distinct attempt_id) as attempts
  from funnel_attempt_step_versions where ${BELIEVED}
  group by funnel, step_no, step, version
)
select funnel, step, cast(sum(if(version = ?, attempts, 0)) as int64) as before,
  cast(sum(if(version = ?, attempts, 0)) as int64) as after
from reached group by funnel, step order by funnel, min(step_no), step`

const ASKED = `select version, count(distinct event_id) as events, 'moved' as what
from transition_facts where ${BELIEVED} and cause = 'event' group by version
union all
select version, count(*) as events, 'refused' as what
from rejection_facts where ${BELIEVED} group by version`

const TELLING = `${DIFFERING},
counted as (
  select profile_id, count(*) as moves, min(occurred_at) as parted_at
  from differing group by profile_id
  order by moves desc, parted_at, profile_id limit ${TELLING_MAX}
),
placed as (
  select profile_id, version, event_id, event_name, occurred_at, from_state, to_state,
    row_number() over (
      partition by profile_id, version order by occurred_at, seq, instance_id, track
    ) as place
  from differing
)
select counted.profile_id, moves, version, event_id, event_name, occurred_at, from_state, to_state
from counted inner join placed on placed.profile_id = counted.profile_id and place = 1
order by moves desc, parted_at, counted.profile_id`

function askedOf(rows: Row[], before: number, after: number): ReleaseDiff['asked'] {
  const count = (version: number, what: string) => {
    const row = rows.find((one) => one['version'] === version && one['what'] === what)
    return (row?.['events'] as number | undefined) ?? 0
  }
  const of = (version: number) => ({
    moved: count(version, 'moved'),
    refused: count(version, 'refused'),
  })
  return { before: of(before), after: of(after) }
}

function tellingOf(rows: Row[], before: number): ReleaseDiff['telling'] {
  const telling = new Map<string, ReleaseDiff['telling'][number]>()
  for (const row of rows) {
    const profile = row['profile_id'] as string
    const one = telling.get(profile) ?? {
      profile,
      moves: row['moves'] as number,
      before: null,
      after: null,
    }
    one[row['version'] === before ? 'before' : 'after'] = {
      from: row['from_state'] as string | null,
      to: row['to_state'] as string,
      event: row['event_name'] as string | null,
      eventId: row['event_id'] as string | null,
      at: row['occurred_at'] as number,
    }
    telling.set(profile, one)
  }
  return [...telling.values()]
}
