/** How long people stay in a state, how many are in it, and how many of those are stuck. */

import { collectSurvival } from './collect-curves.ts'
import { VISITS_MAX } from '../bounds.ts'
import type { DurationPart } from '../document.ts'
import { grouped, instantOrNull, number, numberOrNull, text, type Ask } from '../read.ts'

/** The part of a state; none for a state nobody was in. */
export type DurationsOf = (track: string, state: string) => DurationPart[]

const DURATIONS = `
  select track, state, visit, completed_count, median_ms, p90_ms, still_inside_count
  from state_durations where journey = ?
  order by track, state, visit`

const STUCK = `
  select track, state, count(*) as stuck_count, min(entered_at) as since
  from stuck where journey = ? group by track, state`

export async function collectDurations(ask: Ask): Promise<DurationsOf> {
  const durations = grouped(await ask(DURATIONS), keyOf)
  const stuck = grouped(await ask(STUCK), keyOf)
  const survival = await collectSurvival(ask)
  return (track, state) => {
    const rows = durations.get(keyOf({ track, state }))
    const [held] = stuck.get(keyOf({ track, state })) ?? []
    if (rows === undefined) return []
    const visits = rows.filter((row) => number(row['completed_count']) > 0)
    return [
      {
        state,
        inside: rows.reduce((total, row) => total + number(row['still_inside_count']), 0),
        stuck: number(held?.['stuck_count']),
        since: instantOrNull(held?.['since']),
        visits: visits.slice(0, VISITS_MAX).map((row) => ({
          visit: number(row['visit']),
          completed: number(row['completed_count']),
          medianMs: numberOrNull(row['median_ms']),
          p90Ms: numberOrNull(row['p90_ms']),
        })),
        survival: survival(track, state),
        error: 0,
        visitsLeftOut: Math.max(0, visits.length - VISITS_MAX),
      },
    ]
  }
}

const keyOf = (row: { [column: string]: unknown }): string =>
  `${text(row['track'])} ${text(row['state'])}`
