/** Funnels as `funnel_steps` counts them: of a journey, by its states, and by events. */

import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { optionsText } from '../cli/funnel-lines.ts'
import { FUNNEL_STEPS_MAX, FUNNELS_MAX } from './bounds.ts'
import type { FunnelPart } from './document.ts'
import { grouped, number, numberOrNull, text } from './read.ts'

/** Those of a journey; with null, those whose steps are events. */
export async function collectFunnels(
  warehouse: Warehouse,
  journey: string | null,
): Promise<FunnelPart[]> {
  const rows = await warehouse.query(
    `select funnel, step_no, step, count_by, options, reached, converted, dropped, pending,
       rate_of_decided, median_since_previous_ms, p90_since_previous_ms
     from funnel_steps
     where coalesce(journey, '') = $1 and step_no <= ${FUNNEL_STEPS_MAX}
     qualify dense_rank() over (order by funnel) <= ${FUNNELS_MAX}
     order by funnel, step_no`,
    [journey ?? ''],
  )
  return [...grouped(rows, 'funnel')].map(([name, steps]) => ({
    name,
    stepsAre: journey === null ? 'events' : 'states',
    countBy: text(steps[0]?.['count_by']),
    options: optionsText(steps[0]?.['options']),
    steps: steps.map(stepOf),
  }))
}

function stepOf(row: Row): FunnelPart['steps'][number] {
  return {
    // Where the order is any, there is no telling which step comes when.
    step: row['step'] === null ? `any step, ${text(row['step_no'])}` : text(row['step']),
    reached: number(row['reached']),
    converted: number(row['converted']),
    dropped: number(row['dropped']),
    pending: number(row['pending']),
    rateOfDecided: numberOrNull(row['rate_of_decided']),
    medianMs: numberOrNull(row['median_since_previous_ms']),
    p90Ms: numberOrNull(row['p90_since_previous_ms']),
  }
}
