/** A funnel's entries by day for a slice of days and sources, recomputed from its cube. */

import { FUNNEL_DAYS_MAX } from '../bounds.ts'
import { MATURED } from './cube-names.ts'
import { eachCell, type CubePart, type Slice } from './cube.ts'
import type { FunnelDay } from '../document.ts'

/** Returns the latest days on which somebody entered. Without a window nobody is matured. */
export function sliceDays(cube: CubePart, slice: Slice, hasWindow: boolean): FunnelDay[] {
  const days = new Map<number, FunnelDay & { maturedConverted: number }>()
  const visit = (units: number, kind: string, day: number) => {
    const counts = days.get(day) ?? {
      day,
      converted: 0,
      pending: 0,
      dropped: 0,
      matured: 0,
      rate: null,
      maturedConverted: 0,
    }
    days.set(day, counts)
    const outcome = kind.replace(MATURED, '') as 'converted' | 'pending' | 'dropped'
    counts[outcome] += units
    if (!kind.endsWith(MATURED)) return
    counts.matured = (counts.matured ?? 0) + units
    if (outcome === 'converted') counts.maturedConverted += units
  }
  for (const { cells } of cube.paths) eachCell(cube, cells, slice, visit)
  return [...days.values()]
    .sort((a, b) => a.day - b.day)
    .slice(-FUNNEL_DAYS_MAX)
    .map(({ maturedConverted, matured, day, converted, pending, dropped }) => ({
      day,
      converted,
      pending,
      dropped,
      matured: hasWindow ? matured : null,
      rate: hasWindow && matured !== null && matured > 0 ? maturedConverted / matured : null,
    }))
}
