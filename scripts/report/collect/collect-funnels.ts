/** Funnels as `funnel_steps` counts them: of a journey, by its states, and by events. */

import type { Row, Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { collectConversion } from './collect-curves.ts'
import { collectFunnelParts } from './collect-funnel-parts.ts'
import { funnelWords } from '../funnel-words.ts'
import { FUNNEL_STEPS_MAX, FUNNELS_MAX } from '../bounds.ts'
import type { FunnelPart, MaturedPart } from '../document.ts'
import { grouped, number, numberOrNull, text } from '../read.ts'

/** Those of a journey; with null, those whose steps are events. */
export async function collectFunnels(
  warehouse: Warehouse,
  journey: string | null,
): Promise<FunnelPart[]> {
  const rows = await warehouse.query(
    `select funnel, step_no, step, is_optional, count_by, options, reached, converted, dropped,
       pending, matured_count, matured_converted_count, matured_rate, matured_rate_low,
       matured_rate_high, median_since_previous_ms, p90_since_previous_ms
     from funnel_steps
     where coalesce(journey, '') = ? and step_no <= ${FUNNEL_STEPS_MAX}
     qualify dense_rank() over (order by funnel) <= ${FUNNELS_MAX}
     order by funnel, step_no`,
    [journey ?? ''],
  )
  const wholes = grouped(
    await warehouse.query(
      `select funnel, within_ms, matured_count, matured_converted_count, matured_rate, matured_rate_low,
         matured_rate_high
       from funnel_conversion where coalesce(journey, '') = ?`,
      [journey ?? ''],
    ),
    'funnel',
  )
  const byAge = await collectConversion(warehouse, journey)
  const parts = await collectFunnelParts(warehouse, journey)
  return [...grouped(rows, 'funnel')].map(([name, steps]) => ({
    name,
    matured: maturedOf(wholes.get(name)?.[0] ?? {}),
    stepsAre: journey === null ? 'events' : 'states',
    withinMs: numberOrNull(wholes.get(name)?.[0]?.['within_ms']),
    countBy: text(steps[0]?.['count_by']),
    options: funnelWords(text(steps[0]?.['options'])),
    steps: steps.map(stepOf),
    byAge: byAge(name),
    ...parts(name),
  }))
}

function stepOf(row: Row): FunnelPart['steps'][number] {
  return {
    // In any order no step has a fixed place.
    step: row['step'] === null ? `any step, ${text(row['step_no'])}` : text(row['step']),
    reached: number(row['reached']),
    converted: number(row['converted']),
    dropped: number(row['dropped']),
    pending: number(row['pending']),
    isOptional: row['is_optional'] === true,
    matured: maturedOf(row),
    medianMs: numberOrNull(row['median_since_previous_ms']),
    p90Ms: numberOrNull(row['p90_since_previous_ms']),
  }
}

/** Null where the funnel has no window. */
function maturedOf(row: Row): MaturedPart | null {
  const count = numberOrNull(row['matured_count'])
  if (count === null) return null
  return {
    count,
    converted: number(row['matured_converted_count']),
    rate: numberOrNull(row['matured_rate']),
    low: numberOrNull(row['matured_rate_low']),
    high: numberOrNull(row['matured_rate_high']),
  }
}
