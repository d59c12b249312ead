/**
 * Reference of cohorts: every condition evaluated literally over the rows of the public views.
 * Shares no code with `pipeline/definition/compile-cohort.ts`.
 */

import { parseDuration } from '../../pipeline/definition/duration.ts'
import type { Json } from '../../pipeline/base/json.ts'
import type { CohortCondition } from '../../pipeline/definition/cohort.ts'
import type { EventGuard } from '../../pipeline/definition/funnel.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'

export type CohortTables = {
  transitions: Row[]
  states: Row[]
  cycles: Row[]
  sessions: Row[]
  events: Row[]
}

/** Reads the public views as of an instant (microseconds). */
export async function cohortTables(warehouse: Warehouse, believedAt: number) {
  const asOf = (view: string) =>
    warehouse.query(`select * from ${view}_as_of(make_timestamptz(${believedAt}))`)
  const tables: CohortTables = {
    transitions: await asOf('transitions'),
    states: await asOf('states'),
    cycles: await asOf('cycles'),
    sessions: await asOf('sessions'),
    events: await warehouse.query('select * from events'),
  }
  return tables
}

/** Returns the members by ascending id. */
export function slowMembers(tables: CohortTables, who: CohortCondition, at: number): string[] {
  const seen = tables.sessions.filter((row) => (row['started_at'] as number) <= at)
  const profiles = [...new Set(seen.map((row) => row['profile_id'] as string))]
  return profiles.filter((profile) => isMember(tables, who, at, profile)).sort()
}

function isMember(
  tables: CohortTables,
  who: CohortCondition,
  at: number,
  profile: string,
): boolean {
  if ('all' in who) return !who.all.some((part) => !isMember(tables, part, at, profile))
  if ('any' in who) return who.any.some((part) => isMember(tables, part, at, profile))
  if ('not' in who) return !isMember(tables, who.not, at, profile)
  const own = (rows: Row[]) =>
    rows.filter((row) => row['journey'] === who.journey && row['profile_id'] === profile)
  const window = 'within' in who ? parseDuration(who.within) : null
  const moves = own(tables.transitions)
    .filter((row) => (row['occurred_at'] as number) <= at)
    .filter((row) => window === null || at - (row['occurred_at'] as number) < window)
    .filter((row) => who.where === undefined || guardHolds(tables, who.where, row))
    .filter((row) => who.afterCycle === undefined || hasCycled(tables, who.afterCycle, row))
  if ('reached' in who) return isOften(moves.filter(entered(who.reached)).length, who.times)
  if ('cycled' in who) {
    const rounds = own(tables.cycles).filter((row) => row['path'] === who.cycled)
    const closing = rounds.map((row) => row['closed_by'])
    return isOften(moves.filter((row) => closing.includes(row['transition_id'])).length, who.times)
  }
  if ('in' in who) {
    return own(tables.states).some((stay) => {
      const [from, to] = [stay['entered_at'] as number, stay['exited_at'] as number | null]
      const entry = moves.find((row) => row['transition_id'] === stay['state_id'])
      const least = parseDuration(who.dwell?.gte) ?? 0
      const most = parseDuration(who.dwell?.lt) ?? Infinity
      const isOpen = from <= at && (to === null || to > at)
      return isOpen && entry !== undefined && entered(who.in)(entry) && dwells(at - from)
      function dwells(time: number) {
        return time >= least && time < most
      }
    })
  }
  const span = parseDuration(who.span) ?? Infinity
  const paths = who.inOrder.reduce<Row[][]>(
    (found, step) =>
      found.flatMap((path) =>
        moves
          .filter(entered(step))
          .filter((row) => path.every((before) => isBefore(before, row)))
          .map((row) => [...path, row]),
      ),
    [[]],
  )
  return paths.some((path) => time(path.at(-1) as Row) - time(path[0] as Row) <= span)
}

const time = (row: Row) => row['occurred_at'] as number

/** Orders instances of one instant by id as text, and transitions of one instance by number. */
function isBefore(a: Row, b: Row): boolean {
  if (time(a) !== time(b)) return time(a) < time(b)
  const [one, other] = [a, b].map((row) => Buffer.from(row['instance_id'] as string))
  const order = Buffer.compare(one as Buffer, other as Buffer)
  return order === 0 ? (a['seq'] as number) < (b['seq'] as number) : order < 0
}

function entered(place: string): (row: Row) => boolean {
  return (row) => row['to_state'] === place || `${row['track']}.${row['to_state']}` === place
}

function hasCycled({ cycles, transitions }: CohortTables, path: string, move: Row): boolean {
  return cycles
    .filter((row) => row['path'] === path && row['instance_id'] === move['instance_id'])
    .map((row) => transitions.find((one) => one['transition_id'] === row['closed_by']))
    .some((closing) => (closing?.['seq'] as number) < (move['seq'] as number))
}

function isOften(count: number, times: { [op: string]: number } = { gte: 1 }): boolean {
  return Object.entries(times).every(([op, bound]) => {
    if (op === 'eq') return count === bound
    if (op === 'gt') return count > bound
    if (op === 'gte') return count >= bound
    return op === 'lt' ? count < bound : count <= bound
  })
}

/** Evaluates the guards that the test's cohorts use. */
function guardHolds({ events }: CohortTables, guard: EventGuard, move: Row): boolean {
  if ('field' in guard) return move['source'] === guard.eq
  const event = events.find((row) => row['event_id'] === move['event_id'])
  const properties = JSON.parse((event?.['properties'] ?? '{}') as string) as { v?: Json }
  return 'property' in guard && properties.v === guard.eq
}
