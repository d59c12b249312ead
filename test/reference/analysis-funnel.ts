/** Reference of the funnel views: counts unit by unit from the rows of the public views. */

import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { dateOf, dayOf, groups, nearestRank, wholeMs } from './analysis.ts'
import { ninePlaces, rates } from './shares.ts'
import { sincePrevious } from './step-times.ts'

const ascending = (a: number, b: number) => a - b

type Attempt = {
  attempt_id: string
  funnel: string
  journey: string | null
  version: number
  profile_id: string
  instance_id: string | null
  attempt_no: number
  source: string | null
  entered_at: number
  event_id: string | null
  session_id: string | null
  deepest_step: number
  outcome: 'converted' | 'dropped' | 'pending'
  ended_because: string
  ended_at: number | null
  converted_at: number | null
  time_to_convert_ms: number | null
}
type Reached = { attempt_id: string; step_no: number; reached_at: number }
type Definition = {
  funnel: string
  journey: string | null
  version: number
  step_no: number
  step: string | null
  is_optional: boolean
  count_by: string
  within_ms: number | null
  options: string
}
type Touch = { profile_id: string; session_no: number; started_at: number; source: string }
export type FunnelTables = {
  attempts: Attempt[]
  attemptSteps: Reached[]
  definitions: Definition[]
  touches: Touch[]
  watermark: number
}

/** Attempt, with the unit that it counts for. */
type Counted = Attempt &
  Pick<Definition, 'count_by' | 'within_ms' | 'options'> & {
    unit: string | null
  }
/** Attempt that a unit is counted by, and all of its attempts. */
type Unit = { told: Counted; all: Counted[]; deepest_step: number; isMatured: boolean | null }

function counted({ attempts, definitions }: FunnelTables): Counted[] {
  return attempts.map((attempt) => {
    const definition = definitions.find((one) => isSame(one, attempt)) as Definition
    const units: { [count: string]: string | null } = {
      attempts: attempt.attempt_id,
      profiles: attempt.profile_id,
      sessions: attempt.session_id,
      instances: attempt.instance_id,
    }
    const { count_by, within_ms, options } = definition
    return { ...attempt, count_by, unit: units[count_by] ?? null, within_ms, options }
  })
}

type Named = { funnel: string; journey: string | null }

function isSame(a: Named, b: Named): boolean {
  return a.funnel === b.funnel && a.journey === b.journey
}

export function unitsOf(tables: FunnelTables): Unit[] {
  const byUnit = groups(counted(tables), ({ funnel, journey, unit }) => [funnel, journey, unit])
  return byUnit.map((all) => {
    const inOrder = all.toSorted(
      (a, b) => a.entered_at - b.entered_at || a.attempt_no - b.attempt_no,
    )
    const deepest_step = Math.max(...all.map((one) => one.deepest_step))
    const told =
      inOrder.find(({ outcome }) => outcome === 'converted') ??
      inOrder.find(({ outcome }) => outcome === 'pending') ??
      inOrder.find((one) => one.deepest_step === deepest_step)
    const { entered_at, within_ms } = told as Counted
    const age = tables.watermark - entered_at
    const isMatured = within_ms === null ? null : age >= within_ms * 1_000
    return { told: told as Counted, all, deepest_step, isMatured }
  })
}

/** Counts the outcomes. */
function outcomes(units: readonly Pick<Unit, 'told'>[]): Row {
  const of = (outcome: string) => units.filter(({ told }) => told.outcome === outcome).length
  return {
    converted: of('converted'),
    dropped: of('dropped'),
    pending: of('pending'),
    rate_of_all: units.length === 0 ? null : of('converted') / units.length,
  }
}

type Maturing = Pick<Unit, 'told' | 'isMatured'>

function ratesOf(units: readonly Maturing[], within: number | null): Row {
  const matured = units.filter(({ isMatured }) => isMatured === true)
  const converted = matured.filter(({ told }) => told.outcome === 'converted')
  return within === null ? rates(null, null) : rates(matured.length, converted.length)
}

function funnelAttemptUnits(tables: FunnelTables): Row[] {
  return counted(tables).map(({ instance_id: _instance, session_id: _session, ...row }) => row)
}

function funnelUnits(tables: FunnelTables): Row[] {
  return unitsOf(tables).map(({ told, all, deepest_step, isMatured }) => {
    const { instance_id: _instance, session_id: _session, attempt_no: _no, ...row } = told
    return { ...row, attempt_count: all.length, deepest_step, is_matured: isMatured }
  })
}

function funnelConversion(tables: FunnelTables): Row[] {
  const units = unitsOf(tables)
  return tables.definitions
    .filter(({ step_no }) => step_no === 1)
    .map((definition) => {
      const own = units.filter(({ told }) => isSame(told, definition))
      const { funnel, journey, version, count_by, within_ms, options } = definition
      const named = { funnel, journey, version, count_by, within_ms, options }
      return { ...named, entered: own.length, ...outcomes(own), ...ratesOf(own, within_ms) }
    })
}

/** Walks the ages one by one with the units that are still open. */
function funnelConversionByAge(tables: FunnelTables): Row[] {
  return groups(unitsOf(tables), ({ told }) => [told.funnel, told.journey]).flatMap((units) => {
    const exits = units.map(({ told }) => {
      const age = wholeMs(told.entered_at, told.ended_at ?? tables.watermark)
      return { age, outcome: told.outcome }
    })
    const { funnel, journey, version, count_by } = (units[0] as Unit).told
    let [open, converted, ended] = [1, 0, 0]
    return [...new Set(exits.map(({ age }) => age))].toSorted(ascending).flatMap((age_ms) => {
      const at_risk = exits.filter((exit) => exit.age >= age_ms).length
      const now = exits.filter((exit) => exit.age === age_ms)
      const converted_count = now.filter(({ outcome }) => outcome === 'converted').length
      const ended_count = now.filter(({ outcome }) => outcome === 'dropped').length
      if (converted_count + ended_count === 0) return []
      converted += (open * converted_count) / at_risk
      ended += (open * ended_count) / at_risk
      open *= (at_risk - converted_count - ended_count) / at_risk
      const shares = {
        open_share: ninePlaces(open),
        converted_share: ninePlaces(converted),
        ended_share: ninePlaces(ended),
      }
      const counts = { at_risk, converted_count, ended_count }
      return [{ funnel, journey, version, count_by, age_ms, ...counts, ...shares }]
    })
  })
}

function funnelSteps(tables: FunnelTables): Row[] {
  const units = unitsOf(tables)
  return tables.definitions.map((definition) => {
    const { funnel, journey, version, step_no, step, is_optional, count_by } = definition
    const { within_ms, options } = definition
    const earlier = tables.definitions
      .filter((one) => isSame(one, definition) && one.step_no < step_no && !one.is_optional)
      .map((one) => one.step_no)
    const maturedUpTo = (step: number) =>
      units.filter(({ told, isMatured, all }) => {
        if (!isSame(told, definition) || isMatured !== true) return false
        const ids = all.map(({ attempt_id }) => attempt_id)
        return tables.attemptSteps.some(
          (one) => one.step_no === step && ids.includes(one.attempt_id),
        )
      }).length
    const isFirst = earlier.length === 0
    const counts = [
      maturedUpTo(isFirst ? step_no : Math.max(...earlier)),
      maturedUpTo(step_no),
    ] as const
    const since: (number | null)[] = []
    const reached = units.filter((unit) => {
      if (!isSame(unit.told, definition)) return false
      const ms = sincePrevious(tables, unit.all, step_no)
      if (ms !== undefined) since.push(ms)
      return ms !== undefined
    })
    return {
      funnel,
      journey,
      version,
      step_no,
      step,
      is_optional,
      count_by,
      options,
      reached: reached.length,
      went_on: reached.filter((unit) => unit.deepest_step > step_no).length,
      ...outcomes(reached),
      ...(within_ms === null ? rates(null, null) : rates(...counts, isFirst)),
      median_since_previous_ms: nearestRank(since, 5),
      p90_since_previous_ms: nearestRank(since, 9),
    }
  })
}

function funnelDaily(tables: FunnelTables): Row[] {
  const byDay = groups(unitsOf(tables), ({ told }) => [
    told.funnel,
    told.journey,
    dayOf(told.entered_at),
  ])
  return byDay.map((units) => {
    const { funnel, journey, version, count_by, entered_at, within_ms, options } = (
      units[0] as Unit
    ).told
    return {
      options,
      funnel,
      journey,
      version,
      day: dateOf(dayOf(entered_at)),
      count_by,
      entered: units.length,
      ...outcomes(units),
      ...ratesOf(units, within_ms),
      median_time_to_convert_ms: nearestRank(
        units.map(({ told }) => told.time_to_convert_ms),
        5,
      ),
    }
  })
}

function funnelBySource(tables: FunnelTables): Row[] {
  const touched = unitsOf(tables).flatMap(({ told, isMatured }) => {
    const own = tables.touches
      .filter(({ profile_id }) => profile_id === told.profile_id)
      .sort((a, b) => a.session_no - b.session_no)
    const begun = own.filter((one) => one.started_at <= (told.converted_at ?? told.entered_at))
    return [
      { told, isMatured, touch: 'entry', source: told.source },
      { told, isMatured, touch: 'first', source: own[0]?.source ?? null },
      { told, isMatured, touch: 'last', source: begun.at(-1)?.source ?? null },
    ]
  })
  const bySource = groups(touched, ({ told, touch, source }) => [
    told.funnel,
    told.journey,
    touch,
    source,
  ])
  return bySource.map((units) => {
    const [{ told, touch, source }] = units as [(typeof touched)[number]]
    const { funnel, journey, version, count_by, within_ms, options } = told
    const counts = { entered: units.length, ...outcomes(units), ...ratesOf(units, within_ms) }
    return { funnel, journey, version, count_by, touch, source, ...counts, options }
  })
}

export const FUNNELS: { [view: string]: (tables: FunnelTables) => Row[] } = {
  funnel_attempt_units: funnelAttemptUnits,
  funnel_units: funnelUnits,
  funnel_conversion: funnelConversion,
  funnel_conversion_by_age: funnelConversionByAge,
  funnel_steps: funnelSteps,
  funnel_daily: funnelDaily,
  funnel_by_source: funnelBySource,
}
