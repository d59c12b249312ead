/** The states of a journey's tracks, the ways between them, and what was refused. */

import type { Track } from '../../../pipeline/definition/journey.ts'
import type { Row } from '../../../pipeline/warehouse/warehouse.ts'
import { EVENTS_PER_WAY_MAX, REFUSALS_MAX, WAYS_MAX, WAYS_READ_MAX } from '../bounds.ts'
import type { RefusalPart, StatePart, TrackPart, WayPart } from '../document.ts'
import type { NamedCount } from '../document-quality.ts'
import { commonest, grouped, number, numberOrNull, text, type Ask } from '../read.ts'
import { keptFirst } from '../ways-order.ts'

/** The part of a track. */
export type WaysOf = (name: string, track: Track) => Ways

type Ways = Pick<
  TrackPart,
  'started' | 'states' | 'ways' | 'waysLeftOut' | 'refusals' | 'refusalsLeftOut'
>

const STATES = `
  select track, state, count(*) as entered,
    sum(case when exited_at is null then 1 else 0 end) as inside,
    count(distinct profile_id) as profile_count
  from states where journey = ? group by track, state`

const OUTCOMES = `
  select final_states.track, final_states.state, outcome
  from final_states inner join (
    select distinct journey, version from states where journey = ?
  ) as live on live.journey = final_states.journey and live.version = final_states.version`

const WAYS = commonest(
  'transition_matrix',
  'transition_count',
  'transition_count desc, from_state, to_state, cause',
  WAYS_READ_MAX,
)

const STARTS = `
  select track, sum(transition_count) as times
  from transition_matrix where journey = ? and cause = 'start' group by track`

/** Time before each transition (the nearest-rank median, as in the views), and its events, which the
 * matrix lacks. */
const DWELLS = `
  select track, from_state, to_state, cause, min(dwell_ms) as median_ms
  from (
    select track, from_state, to_state, cause, dwell_ms,
      row_number() over (
        partition by track, from_state, to_state, cause order by dwell_ms
      ) as dwell_rank,
      count(*) over (partition by track, from_state, to_state, cause) as dwell_count
    from transitions where journey = ? and cause <> 'start'
  ) as ranked
  where 2 * dwell_rank >= dwell_count
  group by track, from_state, to_state, cause`

const EVENTS = `
  select track, from_state, to_state, event_name, count(*) as times
  from transitions where journey = ? and cause = 'event'
  group by track, from_state, to_state, event_name
  qualify row_number() over (
    partition by track, from_state, to_state order by count(*) desc, event_name
  ) <= ${EVENTS_PER_WAY_MAX}
  order by times desc, event_name`

/** The state of a rejection is the configuration: all tracks' states, joined. */
const REFUSALS = `
  select state, event_name, reason, count(*) as times
  from rejections where journey = ? group by state, event_name, reason`

/** `tracks` are their names in the order of the definition. */
export async function collectWays(ask: Ask, tracks: string[]): Promise<WaysOf> {
  const states = grouped(await ask(STATES), 'track')
  const outcomes = grouped(await ask(OUTCOMES), 'track')
  const starts = grouped(await ask(STARTS), 'track')
  const ways = grouped(await ask(WAYS), 'track')
  const dwells = new Map((await ask(DWELLS)).map((row) => [wayKey(row), row['median_ms']]))
  const events = grouped(await ask(EVENTS), eventKey)
  const refusals = await ask(REFUSALS)
  const wayOf = (row: Row): WayPart => ({
    from: text(row['from_state']),
    to: text(row['to_state']),
    cause: row['cause'] === 'timeout' ? 'timeout' : 'event',
    count: number(row['transition_count']),
    profileCount: number(row['profile_count']),
    probability: numberOrNull(row['probability']),
    shareOfStays: numberOrNull(row['share_of_stays']),
    medianMs: numberOrNull(dwells.get(wayKey(row))),
    events: row['cause'] === 'event' ? (events.get(eventKey(row)) ?? []).map(eventOf) : [],
  })
  return (name, track) => {
    const refused = refusalsOf(refusals, tracks.indexOf(name))
    return {
      started: number(starts.get(name)?.[0]?.['times']),
      states: statesOf(track, states.get(name) ?? [], outcomes.get(name) ?? []),
      ...keptOf(Object.keys(track.states), ways.get(name) ?? [], wayOf),
      refusals: refused.slice(0, REFUSALS_MAX),
      refusalsLeftOut: Math.max(0, refused.length - REFUSALS_MAX),
    }
  }
}

/** The ways that are kept, commonest first, and what is left out. Starts are not ways. */
function keptOf(
  states: string[],
  rows: Row[],
  wayOf: (row: Row) => WayPart,
): Pick<Ways, 'ways' | 'waysLeftOut'> {
  const read = rows.filter((row) => row['cause'] !== 'start')
  const kept = keptFirst(states, read.map(wayOf)).ways.slice(0, WAYS_MAX)
  const ways = kept.toSorted((a, b) => b.count - a.count)
  const startCount = rows.reduce(
    (total, row) => total + (row['cause'] === 'start' ? number(row['times']) : 0),
    0,
  )
  const movesOf = (all: WayPart[]) => all.reduce((total, { count }) => total + count, 0)
  return {
    ways,
    waysLeftOut: {
      paths: number(rows[0]?.['all_paths']) - (rows.length - read.length) - ways.length,
      times: number(rows[0]?.['all_times']) - startCount - movesOf(ways),
    },
  }
}

const eventKey = (row: Row): string =>
  `${text(row['track'])} ${text(row['from_state'])} ${text(row['to_state'])}`
const wayKey = (row: Row): string => `${eventKey(row)} ${text(row['cause'])}`
const eventOf = (row: Row): NamedCount => ({
  name: text(row['event_name']),
  count: number(row['times']),
})

/** Every state of the definition, those nobody entered too. */
function statesOf(track: Track, rows: Row[], outcomes: Row[]): StatePart[] {
  const outcomeOf = new Map(outcomes.map((row) => [text(row['state']), row['outcome']]))
  const counted = new Map(rows.map((row) => [text(row['state']), row]))
  return Object.entries(track.states).map(([name, { type }]) => {
    const row = counted.get(name) ?? {}
    return {
      name,
      isFinal: type === 'final',
      outcome: (outcomeOf.get(name) ?? null) as StatePart['outcome'],
      entered: number(row['entered']),
      inside: number(row['inside']),
      profileCount: number(row['profile_count']),
    }
  })
}

function refusalsOf(rows: Row[], trackNo: number): RefusalPart[] {
  const sums = new Map<string, RefusalPart>()
  for (const row of rows) {
    const state = text(row['state']).split('|')[trackNo] ?? ''
    const [event, reason] = [text(row['event_name']), text(row['reason'])]
    const key = JSON.stringify([state, event, reason])
    const sofar = sums.get(key)?.count ?? 0
    sums.set(key, { state, event, reason, count: sofar + number(row['times']) })
  }
  return [...sums.values()].sort((a, b) => b.count - a.count)
}
