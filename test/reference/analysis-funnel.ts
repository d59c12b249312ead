/** The views that count funnels once more, unit by unit from the rows of the public views. */

import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { dateOf, dayOf, groups, nearestRank } from './analysis.ts'

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
  count_by: string
  options: string
}
type Touch = { profile_id: string; session_no: number; started_at: number; source: string }
export type FunnelTables = {
  attempts: Attempt[]
  attemptSteps: Reached[]
  definitions: Definition[]
  touches: Touch[]
}

/** An attempt with the unit it counts for. */
type Counted = Attempt & { count_by: string; unit: string | null; options: string }
/** What a unit is told by, and all of its attempts. */
type Unit = { told: Counted; all: Counted[]; deepest_step: number }

function counted({ attempts, definitions }: FunnelTables): Counted[] {
  return attempts.map((attempt) => {
    const definition = definitions.find((one) => isSame(one, attempt)) as Definition
    const units: { [count: string]: string | null } = {
      attempts: attempt.attempt_id,
      profiles: attempt.profile_id,
      sessions: attempt.session_id,
      instances: attempt.instance_id,
    }
    const { count_by, options } = definition
    return { ...attempt, count_by, unit: units[count_by] ?? null, options }
  })
}

type Named = { funnel: string; journey: string | null }

function isSame(a: Named, b: Named): boolean {
  return a.funnel === b.funnel && a.journey === b.journey
}

function unitsOf(tables: FunnelTables): Unit[] {
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
    return { told: told as Counted, all, deepest_step }
  })
}

/** How many ended how, and the rates of it. */
function outcomes(units: readonly { told: Attempt }[]): Row & { converted: number } {
  const of = (outcome: string) => units.filter(({ told }) => told.outcome === outcome).length
  const [converted, dropped, pending] = [of('converted'), of('dropped'), of('pending')]
  const decided = converted + dropped
  return {
    converted,
    dropped,
    pending,
    rate_of_decided: decided === 0 ? null : converted / decided,
    rate_of_all: units.length === 0 ? null : converted / units.length,
  }
}

function funnelAttemptUnits(tables: FunnelTables): Row[] {
  return counted(tables).map(({ instance_id: _instance, session_id: _session, ...row }) => row)
}

function funnelUnits(tables: FunnelTables): Row[] {
  return unitsOf(tables).map(({ told, all, deepest_step }) => {
    const { instance_id: _instance, session_id: _session, attempt_no: _no, ...row } = told
    return { ...row, attempt_count: all.length, deepest_step }
  })
}

function funnelSteps(tables: FunnelTables): Row[] {
  const units = unitsOf(tables)
  return tables.definitions.map((definition) => {
    const { funnel, journey, version, step_no, step, count_by, options } = definition
    const since: (number | null)[] = []
    const reached = units.filter((unit) => {
      if (!isSame(unit.told, definition)) return false
      const came = unit.all
        .flatMap((attempt) => {
          const steps = tables.attemptSteps
            .filter(({ attempt_id }) => attempt_id === attempt.attempt_id)
            .sort((a, b) => a.step_no - b.step_no)
          const i = steps.findIndex((one) => one.step_no === step_no)
          const at = steps[i]?.reached_at
          if (at === undefined) return []
          const before = steps[i - 1]?.reached_at
          const ms = before === undefined ? null : Math.floor((at - before) / 1_000)
          return [{ at, no: attempt.attempt_no, ms }]
        })
        .sort((a, b) => a.at - b.at || a.no - b.no)
      if (came[0] !== undefined) since.push(came[0].ms)
      return came.length > 0
    })
    return {
      funnel,
      journey,
      version,
      step_no,
      step,
      count_by,
      reached: reached.length,
      went_on: reached.filter((unit) => unit.deepest_step > step_no).length,
      ...outcomes(reached),
      median_since_previous_ms: nearestRank(since, 5),
      p90_since_previous_ms: nearestRank(since, 9),
      options,
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
    const { funnel, journey, version, count_by, entered_at, options } = (units[0] as Unit).told
    return {
      options,
      funnel,
      journey,
      version,
      day: dateOf(dayOf(entered_at)),
      count_by,
      entered: units.length,
      ...outcomes(units),
      median_time_to_convert_ms: nearestRank(
        units.map(({ told }) => told.time_to_convert_ms),
        5,
      ),
    }
  })
}

function funnelBySource(tables: FunnelTables): Row[] {
  const touched = unitsOf(tables).flatMap(({ told }) => {
    const own = tables.touches
      .filter(({ profile_id }) => profile_id === told.profile_id)
      .sort((a, b) => a.session_no - b.session_no)
    const begun = own.filter((one) => one.started_at <= (told.converted_at ?? told.entered_at))
    return [
      { told, touch: 'entry', source: told.source },
      { told, touch: 'first', source: own[0]?.source ?? null },
      { told, touch: 'last', source: begun.at(-1)?.source ?? null },
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
    const { funnel, journey, version, count_by, options } = told
    const counts = { entered: units.length, ...outcomes(units) }
    return { funnel, journey, version, count_by, touch, source, ...counts, options }
  })
}

export const FUNNELS: { [view: string]: (tables: FunnelTables) => Row[] } = {
  funnel_attempt_units: funnelAttemptUnits,
  funnel_units: funnelUnits,
  funnel_steps: funnelSteps,
  funnel_daily: funnelDaily,
  funnel_by_source: funnelBySource,
}
