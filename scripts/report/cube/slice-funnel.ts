/** A funnel's numbers for a slice of days and sources, recomputed from its cube. */

import { MATURED } from './cube-names.ts'
import { sumsOf, type CubePart, type Slice } from './cube.ts'
import type { FunnelPart, MaturedPart } from '../document.ts'
import { sliceDays } from './slice-days.ts'
import { wilson } from '../wilson.ts'

type Counts = { converted: number; dropped: number; pending: number; matured: number }

/** Returns the funnel of the units that entered in the slice. Times between steps are not sums. */
export function sliceFunnel(part: FunnelPart, cube: CubePart, slice: Slice): FunnelPart {
  const reached = part.steps.map((): Counts => ({
    converted: 0,
    dropped: 0,
    pending: 0,
    matured: 0,
  }))
  const whole = { count: 0, converted: 0 }
  for (const [path, kinds] of sumsOf(cube, slice)) {
    const steps = path.split(',').map(Number)
    for (const [kind, units] of kinds) {
      const isMatured = kind.endsWith(MATURED)
      const outcome = (isMatured ? kind.slice(0, -MATURED.length) : kind) as Exclude<
        keyof Counts,
        'matured'
      >
      if (isMatured) whole.count += units
      if (isMatured && outcome === 'converted') whole.converted += units
      for (const step of steps) {
        const counts = reached[step - 1]
        if (counts === undefined) continue
        counts[outcome] += units
        if (isMatured) counts.matured += units
      }
    }
  }
  const hasWindow = part.matured !== null
  let before: Counts | null = null
  return {
    ...part,
    matured: hasWindow ? rateOf(whole.count, whole.converted) : null,
    daily: sliceDays(cube, slice, hasWindow),
    steps: part.steps.map((step, i) => {
      const { converted, dropped, pending, matured } = reached[i] as Counts
      const entered = before
      if (!step.isOptional) before = reached[i] as Counts
      return {
        ...step,
        reached: converted + dropped + pending,
        converted,
        dropped,
        pending,
        matured: hasWindow ? stepRate(entered, matured) : null,
        medianMs: null,
        p90Ms: null,
      }
    }),
  }
}

/** The rate from the step before; a first step has none. */
function stepRate(before: Counts | null, matured: number): MaturedPart {
  if (before === null)
    return { count: matured, converted: matured, rate: null, low: null, high: null }
  return rateOf(before.matured, matured)
}

/** Rate and interval of matured units. */
export function rateOf(count: number, converted: number): MaturedPart {
  const rate = count === 0 ? null : converted / count
  return { count, converted, rate, ...wilson(converted, count) }
}
