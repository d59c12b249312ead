/** Days and values that the page can choose. */

import { DAY_MS, type CubePart } from '../cube/cube.ts'
import type { ReportDocument } from '../document.ts'

export type Choices = { first: number; last: number; sources: string[]; groups: string[] }

/** Returns the days that any count has, and all values, by name. */
export function choicesOf({ cubes }: ReportDocument): Choices {
  const filled = Object.values(cubes).filter(({ dayCount }) => dayCount > 0)
  const names = (of: (cube: CubePart) => string[]) => [...new Set(filled.flatMap(of))].sort()
  return {
    first: Math.min(...filled.map(({ from }) => from)),
    last: Math.max(...filled.map(({ from, dayCount }) => from + (dayCount - 1) * DAY_MS)),
    sources: names(({ sources }) => sources),
    groups: names(({ groups }) => groups.filter((group) => group !== '')),
  }
}
