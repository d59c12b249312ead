/** Rows of the page's blocks, with plain numbers, as a CSV file has them. */

import type { BlockName } from '../block-sql.ts'
import type { DropOffPart, FunnelPart, ReworkPart } from '../document.ts'
import type { Sliced } from './sliced.ts'
import { dateOf } from './view.ts'

type Value = string | number | null
export type BlockRows = { titles: string[]; rows: Value[][] }

const FUNNEL_TITLES =
  'funnel step_no step reached converted dropped pending matured_count matured_rate ' +
  'matured_rate_low matured_rate_high'

const NEXT_TITLES =
  'drop_off from_state to_state next_state next_cause next_event drop_off_count share ' +
  'median_next_after_ms'

const REWORK_TITLES =
  'state entry_count self_loop_count repeat_count instance_count reworked_instance_count ' +
  'rework_rate'

/** Durations are milliseconds and rates 0 to 1; what is not known is empty. */
export function blockRows(block: BlockName, { journey, track, byEvents }: Sliced): BlockRows {
  switch (block) {
    case 'map':
      return {
        titles: ['from_state', 'to_state', 'cause', 'times', 'people', 'share_of_moves'],
        rows: track.ways.map((way) => [
          way.from,
          way.to,
          way.cause,
          way.count,
          way.profileCount,
          way.probability,
        ]),
      }
    case 'funnel':
      return {
        titles: FUNNEL_TITLES.split(' '),
        rows: [...journey.funnels, ...byEvents].flatMap(funnelRows),
      }
    case 'cycles':
      return {
        titles: ['path', 'times', 'total_duration_ms', 'median_duration_ms', 'people_lost'],
        rows: track.cycles.map(({ path, count, totalMs, medianMs, lostCount }) => [
          path.join(' > '),
          count,
          totalMs,
          medianMs,
          lostCount,
        ]),
      }
    case 'next':
      return { titles: NEXT_TITLES.split(' '), rows: track.dropOffs.map(nextRow) }
    case 'rework':
      return { titles: REWORK_TITLES.split(' '), rows: track.rework.map(reworkRow) }
    case 'durations':
      return {
        titles: ['state', 'visit', 'completed_count', 'median_ms', 'p90_ms'],
        rows: track.durations.flatMap(({ state, visits }) =>
          visits.map(({ visit, completed, medianMs, p90Ms }) => [
            state,
            visit,
            completed,
            medianMs,
            p90Ms,
          ]),
        ),
      }
    case 'standing':
      return {
        titles: ['day', ...track.standing.series.map(({ state }) => state)],
        rows: track.standing.days.map((day, i) => [
          dateOf(day),
          ...track.standing.series.map(({ counts }) => counts[i] ?? 0),
        ]),
      }
    case 'variants':
      return {
        titles: ['path', 'runs', 'people', 'share_of_runs'],
        rows: track.variants.map(({ path, count, profileCount, coverage }) => [
          path.join(' > '),
          count,
          profileCount,
          coverage,
        ]),
      }
    case 'quality':
      return {
        titles: ['day', 'view', 'added', 'removed', 'late_events', 'identity', 'rebuilt'],
        rows: journey.corrections.map((one) => [
          dateOf(one.day),
          one.view,
          one.added,
          one.removed,
          one.lateEvents,
          one.identity,
          one.rebuilt,
        ]),
      }
  }
}

function nextRow(one: DropOffPart): Value[] {
  const { kind, from, to, nextState, nextCause, nextEvent, count, share, medianMs } = one
  return [kind, from, to, nextState, nextCause, nextEvent, count, share, medianMs]
}

function reworkRow(one: ReworkPart): Value[] {
  const { state, entries, selfLoops, repeats, instances, reworked, rate } = one
  return [state, entries, selfLoops, repeats, instances, reworked, rate]
}

function funnelRows({ name, steps }: FunnelPart): Value[][] {
  return steps.map(({ step, reached, converted, dropped, pending, matured }, i) => [
    name,
    i + 1,
    step,
    reached,
    converted,
    dropped,
    pending,
    matured?.count ?? null,
    matured?.rate ?? null,
    matured?.low ?? null,
    matured?.high ?? null,
  ])
}
