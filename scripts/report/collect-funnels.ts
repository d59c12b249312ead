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
  const last = `step${steps.length - 1}`
  const isOpen = `reached_at + to_microseconds(${windowMicros}) > (select max(watermark) from batches)`
  const open =
    `open as (select instance_id from step0 where ${isOpen} ` +
    `and instance_id not in (select instance_id from ${last}))`
  const counts = steps.map(
    (_, i) =>
      `(select count(*) from step${i}) as reached${i}, ` +
      `(select count(*) from step${i} semi join open using (instance_id)) as pending${i}`,
  )
  const [row = {}] = await ask(`with ${[...ctes, open].join(', ')} select ${counts.join(', ')}`)
  const converted = number(row[`reached${steps.length - 1}`])
  return steps.map((step, i) => {
    const reached = number(row[`reached${i}`])
    const pending = number(row[`pending${i}`])
    const decided = reached - pending
    return {
      step,
      reached,
      converted,
      dropped: decided - converted,
      pending,
      rateOfDecided: decided === 0 ? null : converted / decided,
      medianMs: null,
      p90Ms: null,
    }
  })
}
