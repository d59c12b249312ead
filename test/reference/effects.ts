/** The slow reading of effects: what a believed transition asks to be sent. */

import type { Effect } from '../../pipeline/definition/journey.ts'
import { micros } from './identity.ts'
import type { Row } from './reference.ts'

/** One row per effect, in the order of the definition. An effect is known by its cause and content:
 * its id names no profile. */
export function effectRows(
  effects: Effect[],
  { where, cause, carried }: { where: string; cause: string; carried: Row },
): Row[] {
  return effects.map((effect, index) => {
    const payload = JSON.stringify(effect)
    return {
      effect_id: [where, index, cause, payload].join('/'),
      type: effect.type,
      payload,
      within_us: effect.within === undefined ? null : micros(effect.within),
      ...carried,
    }
  })
}
