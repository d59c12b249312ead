/**
 * Reference of the analysis views: computed row by row from the rows of the public views. Slow,
 * independent of the SQL, and simple. Instants are microseconds; days count from 1970.
 */

import { formatInstant } from '../../pipeline/base/clock.ts'
import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { byCodePoint } from './identity.ts'
import { ageBy, survivalOf, type Exit } from './shares.ts'

type Way = { journey: string; version: number; instance_id: string; profile_id: string }
export type Transition = Way & {
  transition_id: string
  track: string
  seq: number
  cause: string
  from_state: string | null
  to_state: string
  event_id: string | null
  event_name: string | null
  source: string | null
  occurred_at: number
  dwell_ms: number | null
  visit: number
}
export type Stay = Way & {
  state_id: string
  track: string
  state: string
  visit: number
  entered_at: number
  exited_at: number | null
  exited_by: string | null
  is_final: boolean
}
export type Cycle = Way & {
  track: string
  cycle_no: number
  anchor: string
  path: string
  length: number
  ended_at: number
  duration_ms: number
  closed_by: string
}
export type Tables = {
  transitions: Transition[]
  states: Stay[]
  cycles: Cycle[]
  events: { event_id: string; occurred_at: number }[]
  /** Declarations of outcomes, in the order they were recorded. */
  outcomes: (Pick<Transition, 'journey' | 'version' | 'track'> & {
    state: string
    outcome: string
  })[]
  watermark: number
}

const DAY = 86_400_000_000
export const dayOf = (at: number) => Math.floor(at / DAY)
export const dateOf = (day: number) => formatInstant(day * DAY).slice(0, 10)
export const wholeMs = (from: number, to: number) => Math.floor((to - from) / 1_000)

/** Groups rows with equal keys. */
export function groups<T>(rows: readonly T[], key: (row: T) => unknown[]): T[][] {
  const found = new Map<string, T[]>()
  for (const row of rows) {
    const name = JSON.stringify(key(row))
    found.set(name, [...(found.get(name) ?? []), row])
  }
  return [...found.values()]
}

export const distinct = <T>(rows: readonly T[], of: (row: T) => unknown) =>
  new Set(rows.map(of)).size
const pick = <T extends object>(row: T, ...names: (keyof T)[]): Row =>
  Object.fromEntries(names.map((name) => [name, row[name]]))

/** Returns the smallest value that is not exceeded by `tenths` tenths of all; null without values. */
export function nearestRank(values: readonly (number | null)[], tenths: number): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b)
  return known[Math.ceil((known.length * tenths) / 10) - 1] ?? null
}

const inTrack = (row: Way & { track: string }) => [
  row.journey,
  row.version,
  row.instance_id,
  row.track,
]
/** The outcome of a final state; undefined for any other. */
export function outcomeOf(
  { outcomes }: Tables,
  { journey, version, track }: Pick<Transition, 'journey' | 'version' | 'track'>,
  state: string,
): string | undefined {
  return outcomes.findLast(
    (one) =>
      one.journey === journey &&
      one.version === version &&
      one.track === track &&
      one.state === state,
  )?.outcome
}

/** Returns when and with which outcome the track of an instance ended; null while it is running. */
function endOf(
  tables: Tables,
  row: Way & { track: string },
): { outcome: string | undefined; at: number } | null {
  const wanted = JSON.stringify(inTrack(row))
  const end = tables.states.find(
    (stay) => stay.is_final && JSON.stringify(inTrack(stay)) === wanted,
  )
  if (end === undefined) return null
  return { outcome: outcomeOf(tables, end, end.state), at: end.entered_at }
}

function finalStates({ outcomes }: Tables): Row[] {
  return groups(outcomes, (one) => [one.journey, one.version, one.track, one.state]).map((same) =>
    pick(same.at(-1) as (typeof same)[number], 'journey', 'version', 'track', 'state', 'outcome'),
  )
}

function calendar(tables: Tables): Row[] {
  const days: Row[] = []
  const first = Math.min(...tables.events.map(({ occurred_at }) => occurred_at))
  for (let day = dayOf(first); day <= dayOf(tables.watermark); day++) {
    const monday = day - ((day + 3) % 7)
    days.push({ day: dateOf(day), week: dateOf(monday), day_no: day, week_no: (monday + 3) / 7 })
  }
  return days
}

function cycleSummary(tables: Tables): Row[] {
  const key = (c: Cycle) => [c.journey, c.version, c.track, c.path]
  return groups(tables.cycles, key).map((rounds) => {
    const first = rounds[0] as Cycle
    const ended = (outcome: string | undefined) =>
      rounds.filter((round) => endOf(tables, round)?.outcome === outcome)
    const [converted, lost, pending] = [ended('success'), ended('failure'), ended(undefined)]
    const durations = rounds.map(({ duration_ms }) => duration_ms)
    const instances = distinct(rounds, (round) => round.instance_id)
    return {
      ...pick(first, 'journey', 'version', 'track', 'path', 'anchor', 'length'),
      cycle_count: rounds.length,
      profile_count: distinct(rounds, (round) => round.profile_id),
      instance_count: instances,
      median_duration_ms: nearestRank(durations, 5),
      p90_duration_ms: nearestRank(durations, 9),
      total_duration_ms: durations.reduce((sum, ms) => sum + ms, 0),
      converted_count: distinct(converted, (round) => round.instance_id),
      converted_rate: distinct(converted, (round) => round.instance_id) / instances,
      lost_count: distinct(lost, (round) => round.instance_id),
      pending_count: distinct(pending, (round) => round.instance_id),
      lost_profile_count: distinct(lost, (round) => round.profile_id),
    }
  })
}

function laps(tables: Tables): Row[] {
  const numbered = groups(tables.cycles, (c) => [...inTrack(c), c.path]).flatMap((rounds) =>
    rounds
      .sort((a, b) => a.cycle_no - b.cycle_no)
      .map((round, i) => {
        const end = endOf(tables, round)
        const isLost = end?.outcome === 'failure'
        const ms = end?.outcome === 'success' ? wholeMs(round.ended_at, end.at) : null
        return { ...round, lap: i + 1, isLast: i === rounds.length - 1, ms, isLost }
      }),
  )
  return groups(numbered, (c) => [c.journey, c.version, c.track, c.path, c.lap]).map((rounds) => {
    const converted = rounds.filter(({ ms }) => ms !== null)
    return {
      ...pick(rounds[0] as Cycle, 'journey', 'version', 'track', 'anchor', 'path'),
      lap_no: rounds[0]?.lap,
      instance_count: rounds.length,
      converted_count: converted.length,
      converted_rate: converted.length / rounds.length,
      lost_count: rounds.filter(({ isLost }) => isLost).length,
      leaving_count: rounds.filter(({ isLast }) => isLast).length,
      leaving_converted_count: converted.filter(({ isLast }) => isLast).length,
      median_time_to_convert_ms: nearestRank(
        rounds.map(({ ms }) => ms),
        5,
      ),
    }
  })
}

function rework({ transitions }: Tables): Row[] {
  const key = (t: Transition) => [t.journey, t.version, t.track, t.to_state]
  return groups(transitions, key).map((entries) => {
    const loops = entries.filter((entry) => entry.from_state === entry.to_state)
    const byInstance = groups(entries, inTrack)
    const again = byInstance.filter((list) => list.length > 1).flat()
    const repeats = entries.length - loops.length - byInstance.length
    return {
      ...pick(entries[0] as Transition, 'journey', 'version', 'track'),
      state: entries[0]?.to_state,
      entry_count: entries.length,
      self_loop_count: loops.length,
      repeat_count: repeats,
      instance_count: byInstance.length,
      reworked_instance_count: distinct(again, (entry) => entry.instance_id),
      profile_count: distinct(entries, (entry) => entry.profile_id),
      reworked_profile_count: distinct(again, (entry) => entry.profile_id),
      rework_rate: (loops.length + repeats) / entries.length,
    }
  })
}

/** Returns the duration of a stay, up to the watermark if it is open. */
function exitOf({ entered_at, exited_at }: Stay, watermark: number): Exit {
  return { age: wholeMs(entered_at, exited_at ?? watermark), hasLeft: exited_at !== null }
}

const inState = (s: Stay) => [s.journey, s.version, s.track, s.state]

function survival({ states, watermark }: Tables): Row[] {
  const open = states.filter(({ is_final }) => !is_final)
  return groups(open, inState).flatMap((stays) =>
    survivalOf(stays.map((stay) => exitOf(stay, watermark))).map((point) => ({
      ...pick(stays[0] as Stay, 'journey', 'version', 'track', 'state'),
      age_ms: point.age,
      at_risk: point.atRisk,
      left_count: point.left,
      share_inside: point.share,
    })),
  )
}

function stateDurations({ states, watermark }: Tables): Row[] {
  return groups(states, (stay) => [...inState(stay), stay.visit]).map((stays) => {
    const exits = stays.map((stay) => exitOf(stay, watermark))
    return {
      ...pick(stays[0] as Stay, 'journey', 'version', 'track', 'state', 'visit', 'is_final'),
      completed_count: stays.filter(({ exited_at }) => exited_at !== null).length,
      median_ms: ageBy(5, exits),
      p90_ms: ageBy(9, exits),
      still_inside_count: stays.filter(({ exited_at }) => exited_at === null).length,
    }
  })
}

function stuck({ states, watermark }: Tables): Row[] {
  return groups(states, inState).flatMap((stays) => {
    const exits = stays.map((stay) => exitOf(stay, watermark))
    const p90 = ageBy(9, exits)
    return stays
      .filter(({ exited_at, is_final }) => exited_at === null && !is_final)
      .map((stay) => ({ stay, inside: exitOf(stay, watermark).age }))
      .filter(({ inside }) => p90 !== null && inside > p90)
      .map(({ stay, inside }) => ({
        ...pick(stay, 'state_id', 'journey', 'version', 'track', 'state', 'visit'),
        ...pick(stay, 'profile_id', 'instance_id', 'entered_at'),
        inside_ms: inside,
        p90_ms: p90,
      }))
  })
}

function dailyStates({ states, watermark }: Tables): Row[] {
  return groups(states, inState).flatMap((stays) => {
    const rows: Row[] = []
    const first = Math.min(...stays.map(({ entered_at }) => dayOf(entered_at)))
    const exitDays = stays.flatMap(({ exited_at }) => (exited_at === null ? [] : dayOf(exited_at)))
    for (let day = first; day <= dayOf(watermark); day++) {
      const end = (day + 1) * DAY
      const standing = stays.filter(
        ({ entered_at, exited_at }) => entered_at < end && (exited_at === null || exited_at >= end),
      )
      rows.push({
        day: dateOf(day),
        ...pick(stays[0] as Stay, 'journey', 'version', 'track', 'state'),
        entered_count: stays.filter(({ entered_at }) => dayOf(entered_at) === day).length,
        exited_count: exitDays.filter((exitDay) => exitDay === day).length,
        instance_count: standing.length,
      })
    }
    return rows
  })
}

function transitionMatrix({ transitions, states }: Tables): Row[] {
  const from = (t: Transition) => [t.journey, t.version, t.track, t.from_state]
  return groups(transitions, from).flatMap((exits) => {
    const left = JSON.stringify(from(exits[0] as Transition))
    const stays = states.filter((stay) => JSON.stringify(inState(stay)) === left).length
    return groups(exits, (t) => [t.to_state, t.cause]).map((moves) => ({
      ...pick(moves[0] as Transition, 'journey', 'version', 'track', 'from_state', 'to_state'),
      cause: moves[0]?.cause,
      transition_count: moves.length,
      profile_count: distinct(moves, (move) => move.profile_id),
      probability: moves.length / exits.length,
      share_of_stays: stays === 0 ? null : moves.length / stays,
    }))
  })
}

function pathVariants({ transitions }: Tables): Row[] {
  const ways = groups(transitions, inTrack).map((moves) => {
    const path = moves.sort((a, b) => a.seq - b.seq).map(({ to_state }) => to_state)
    return { ...(moves[0] as Transition), path: path.join(' > '), length: path.length - 1 }
  })
  return groups(ways, (way) => [way.journey, way.version, way.track]).flatMap((all) => {
    const variants = groups(all, (way) => [way.path]).sort(
      (a, b) => b.length - a.length || byCodePoint(a[0]?.path ?? '', b[0]?.path ?? ''),
    )
    let covered = 0
    return variants.map((same) => {
      covered += same.length
      return {
        ...pick(same[0] as (typeof same)[number], 'journey', 'version', 'track', 'path', 'length'),
        instance_count: same.length,
        profile_count: distinct(same, (way) => way.profile_id),
        coverage: same.length / all.length,
        cumulative_coverage: covered / all.length,
        example_instance_id: same.map((way) => way.instance_id).sort(byCodePoint)[0],
      }
    })
  })
}

function nextAfterDropOff(tables: Tables): Row[] {
  const { transitions, cycles } = tables
  const closers = new Set(cycles.map(({ closed_by }) => closed_by))
  const dropOffs = groups(transitions, inTrack).flatMap((moves) => {
    const inOrder = moves.sort((a, b) => a.seq - b.seq)
    return inOrder.flatMap((move, i) => {
      const outcome = outcomeOf(tables, move, move.to_state)
      if (outcome === 'success' || outcome === 'neutral') return []
      const isFailed = outcome === 'failure'
      const isOff = move.cause === 'timeout' || closers.has(move.transition_id) || isFailed
      if (!isOff) return []
      const back = isFailed ? 'failed' : 'went_back'
      const drop_off = move.cause === 'timeout' ? 'timed_out' : back
      return [{ ...move, drop_off, after: inOrder[i + 1] ?? null }]
    })
  })
  type DropOff = (typeof dropOffs)[number]
  const left = (d: DropOff) => [d.journey, d.version, d.track, d.drop_off, d.from_state, d.to_state]
  return groups(dropOffs, left).flatMap((all) =>
    groups(all, ({ after }) => [after?.cause, after?.event_name, after?.to_state]).map((same) => {
      const { after, ...first } = same[0] as DropOff
      return {
        ...pick(first, 'journey', 'version', 'track', 'drop_off', 'from_state', 'to_state'),
        next_cause: after?.cause ?? null,
        next_event: after?.event_name ?? null,
        next_state: after?.to_state ?? null,
        drop_off_count: same.length,
        profile_count: distinct(same, (one) => one.profile_id),
        share: same.length / all.length,
        median_next_after_ms: nearestRank(
          same.map((one) => one.after?.dwell_ms ?? null),
          5,
        ),
      }
    }),
  )
}

function channelSwitches({ transitions }: Tables): Row[] {
  const moved = transitions.filter(({ cause }) => cause !== 'timeout')
  const pairs = groups(moved, (t) => [t.journey, t.version, t.instance_id]).flatMap((moves) => {
    const inOrder = moves.sort((a, b) => a.seq - b.seq)
    return inOrder.slice(1).map((move, i) => ({ ...move, before: inOrder[i]?.source }))
  })
  const switches = pairs.filter(({ before, source }) => before !== source)
  return groups(switches, (t) => [t.journey, t.version, t.before, t.source]).map((same) => ({
    ...pick(same[0] as Transition, 'journey', 'version'),
    from_source: same[0]?.before,
    to_source: same[0]?.source,
    switch_count: same.length,
    instance_count: distinct(same, (one) => one.instance_id),
    profile_count: distinct(same, (one) => one.profile_id),
  }))
}

/** Expected rows by view. */
export const ANALYSIS: { [view: string]: (tables: Tables) => Row[] } = {
  calendar,
  final_states: finalStates,
  cycle_summary: cycleSummary,
  laps,
  rework,
  survival,
  state_durations: stateDurations,
  stuck,
  daily_states: dailyStates,
  transition_matrix: transitionMatrix,
  path_variants: pathVariants,
  next_after_drop_off: nextAfterDropOff,
  channel_switches: channelSwitches,
}
