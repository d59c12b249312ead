/** Curves over age: who has converted, and who is still in a state. A few points stand for all. */

import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { CURVE_STEPS } from '../bounds.ts'
import type { AgePoint } from '../document.ts'
import { grouped, number, text, type Ask } from '../read.ts'

/** The first age at which a curve comes to each of its steps, and its last. */
const pointsOf = (share: string, curve: string) => `
  qualify row_number() over (
      partition by ${curve}, cast(floor(${share} * ${CURVE_STEPS}) as int64) order by age_ms
    ) = 1
    or row_number() over (partition by ${curve} order by age_ms desc) = 1
  order by ${curve}, age_ms`

const SURVIVAL = `
  select track, state, age_ms, share_inside as share
  from survival where journey = ? ${pointsOf('share_inside', 'track, state')}`

const CONVERSION = `
  select funnel, age_ms, converted_share as share
  from funnel_conversion_by_age where coalesce(journey, '') = ?
  ${pointsOf('converted_share', 'funnel')}`

/** Returns the share still inside by age, of each state. */
export async function collectSurvival(
  ask: Ask,
): Promise<(track: string, state: string) => AgePoint[]> {
  const keyOf = (track: string, state: string) => `${track} ${state}`
  const rows = grouped(await ask(SURVIVAL), (row) => keyOf(text(row['track']), text(row['state'])))
  return (track, state) => (rows.get(keyOf(track, state)) ?? []).map(pointOf)
}

/** Returns the share converted by age, of each funnel. */
export async function collectConversion(
  warehouse: Warehouse,
  journey: string | null,
): Promise<(funnel: string) => AgePoint[]> {
  const rows = grouped(await warehouse.query(CONVERSION, [journey ?? '']), 'funnel')
  return (funnel) => (rows.get(funnel) ?? []).map(pointOf)
}

const pointOf = (row: { [column: string]: unknown }): AgePoint => [
  number(row['age_ms']),
  // Enough digits for a line of some hundred pixels.
  Math.round(number(row['share']) * 10_000) / 10_000,
]
