/** Reference of the views whose counts can be added up over days and sources. */

import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { dateOf, dayOf, groups, outcomeOf, type Tables, type Transition } from './analysis.ts'
import { unitsOf, type FunnelTables } from './analysis-funnel.ts'
import { sincePrevious } from './step-times.ts'

/** The source of the event, or of the last event before a timeout that moved the instance. */
function sourceOf({ transitions }: Tables, move: Transition): string | null {
  const before = transitions
    .filter((one) => one.instance_id === move.instance_id && one.seq <= move.seq)
    .sort((a, b) => b.seq - a.seq)
  return before.find(({ source }) => source !== null)?.source ?? null
}

function sourcedTransitions(tables: Tables): Row[] {
  return tables.transitions.map((move) => {
    const { transition_id, journey, version, instance_id, track, seq, occurred_at } = move
    const { event_id, from_state, to_state, cause, dwell_ms, visit } = move
    const named = { transition_id, journey, version, instance_id, track, seq, occurred_at }
    const moved = { event_id, from_state, to_state, cause, dwell_ms, visit }
    return { ...named, source: sourceOf(tables, move), ...moved }
  })
}

function dailyTransitions(tables: Tables): Row[] {
  const moves = tables.transitions.map((move) => {
    const { journey, version, track, from_state, to_state, cause, occurred_at } = move
    const day = dateOf(dayOf(occurred_at))
    const source = sourceOf(tables, move)
    return { journey, version, track, day, source, from_state, to_state, cause }
  })
  return groups(moves, Object.values).map((same) => ({
    ...(same[0] as Row),
    transition_count: same.length,
  }))
}

function dailyCycles(tables: Tables): Row[] {
  const rounds = tables.cycles.map(({ journey, version, track, path, ...cycle }) => {
    const closing = tables.transitions.find((one) => one.transition_id === cycle.closed_by)
    const day = dateOf(dayOf(cycle.ended_at))
    const source = sourceOf(tables, closing as Transition)
    return { named: { journey, version, track, day, source, path }, ms: cycle.duration_ms }
  })
  return groups(rounds, ({ named }) => Object.values(named)).map((same) => ({
    ...(same[0]?.named as Row),
    cycle_count: same.length,
    total_duration_ms: same.reduce((total, { ms }) => total + ms, 0),
  }))
}

function dailyPaths(tables: Tables): Row[] {
  const runs = groups(tables.transitions, (move) => [move.journey, move.instance_id, move.track])
  const paths = runs.map((moves) => {
    const inOrder = moves.toSorted((a, b) => a.seq - b.seq)
    const [first, last] = [inOrder[0], inOrder.at(-1)] as [Transition, Transition]
    const { journey, version, track, source, occurred_at } = first
    const path = inOrder.map(({ to_state }) => to_state).join(' > ')
    const outcome = outcomeOf(tables, last, last.to_state) ?? null
    return { journey, version, track, day: dateOf(dayOf(occurred_at)), source, path, outcome }
  })
  return groups(paths, Object.values).map((same) => ({
    ...(same[0] as Row),
    instance_count: same.length,
  }))
}

function stepsOf(tables: FunnelTables, attempts: { attempt_id: string }[]): string {
  const ids = attempts.map(({ attempt_id }) => attempt_id)
  const reached = tables.attemptSteps
    .filter(({ attempt_id }) => ids.includes(attempt_id))
    .map(({ step_no }) => step_no)
  return [...new Set(reached)].sort((a, b) => a - b).join(',')
}

function funnelUnitSteps(tables: FunnelTables): Row[] {
  return unitsOf(tables).map(({ told: { funnel, journey, unit }, all }) => ({
    funnel,
    journey,
    unit,
    steps: stepsOf(tables, all),
  }))
}

function funnelUnitStepTimes(tables: FunnelTables): Row[] {
  return unitsOf(tables).flatMap(({ told: { funnel, journey, unit }, all }) => {
    const numbers = tables.definitions
      .filter((one) => one.funnel === funnel && one.journey === journey)
      .map(({ step_no }) => step_no)
    return numbers.flatMap((step_no) => {
      const since_previous_ms = sincePrevious(tables, all, step_no)
      return since_previous_ms === undefined
        ? []
        : [{ funnel, journey, unit, step_no, since_previous_ms }]
    })
  })
}

function funnelPaths(tables: FunnelTables): Row[] {
  const units = unitsOf(tables).map(({ told, all, isMatured }) => {
    const steps = stepsOf(tables, all)
    const { funnel, journey, version, source, outcome, entered_at } = told
    const day = dateOf(dayOf(entered_at))
    return { funnel, journey, version, day, source, steps, outcome, is_matured: isMatured }
  })
  return groups(units, Object.values).map((same) => ({
    ...(same[0] as Row),
    unit_count: same.length,
  }))
}

export const DAILY: { [view: string]: (tables: Tables & FunnelTables) => Row[] } = {
  sourced_transitions: sourcedTransitions,
  daily_transitions: dailyTransitions,
  daily_cycles: dailyCycles,
  daily_paths: dailyPaths,
  funnel_unit_steps: funnelUnitSteps,
  funnel_unit_step_times: funnelUnitStepTimes,
  funnel_paths: funnelPaths,
}
