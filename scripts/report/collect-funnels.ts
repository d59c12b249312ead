/**
 * The funnels of a journey, by its steps. Counted from `states`: a run reaches a step after the
 * step before it, is pending while its window is open at the watermark, and else dropped out.
 */

import { parseDuration, type Funnel, type Journey } from '../../pipeline/journey.ts'
import type { FunnelPart, FunnelStep } from './document.ts'
import { number, type Ask } from './read.ts'

export async function collectFunnels(ask: Ask, journey: Journey): Promise<FunnelPart[]> {
  const parts: FunnelPart[] = []
  for (const [name, funnel] of Object.entries(journey.funnels ?? {})) {
    parts.push({ name, stepsAre: 'states', steps: await stepsOf(ask, funnel) })
  }
  return parts
}

async function stepsOf(ask: Ask, { steps, within }: Funnel): Promise<FunnelStep[]> {
  const windowMicros = within === undefined ? 0 : (parseDuration(within) ?? 0)
  const ctes = steps.map((step, i) => {
    const state = step.split('.').at(-1)
    const entered = `select states.instance_id, min(states.entered_at) as reached_at from states`
    if (i === 0) {
      return `step0 as (${entered} where journey = $1 and state = '${state}' group by instance_id)`
    }
    return (
      `step${i} as (${entered} inner join step${i - 1} on step${i - 1}.instance_id = ` +
      `states.instance_id and states.entered_at >= step${i - 1}.reached_at ` +
      `where journey = $1 and state = '${state}' group by states.instance_id)`
    )
  })
  const open =
    `select instance_id from step0 where reached_at + to_microseconds(${windowMicros}) > ` +
    '(select max(watermark) from batches)'
  const counts = steps.map((_, i) =>
    i === steps.length - 1
      ? `(select count(*) from step${i}) as reached${i}, 0 as pending${i}`
      : `(select count(*) from step${i}) as reached${i}, (select count(*) from step${i} ` +
        `where instance_id in (${open}) ` +
        `and instance_id not in (select instance_id from step${i + 1})) as pending${i}`,
  )
  const [row = {}] = await ask(`with ${ctes.join(', ')} select ${counts.join(', ')}`)
  const reached = steps.map((_, i) => number(row[`reached${i}`]))
  return steps.map((step, i) => {
    const converted = reached[i + 1] ?? reached[i] ?? 0
    const pending = number(row[`pending${i}`])
    const all = reached[i] ?? 0
    const decided = all - pending
    return {
      step,
      reached: all,
      converted,
      dropped: decided - converted,
      pending,
      rateOfDecided: decided === 0 ? null : converted / decided,
      rateOfAll: reached[0] === 0 ? null : all / (reached[0] ?? 1),
      medianMs: null,
      p90Ms: null,
    }
  })
}
