/** Reference of effects: what a current transition sends. */

import type { Effect } from '../../pipeline/definition/journey.ts'
import { micros } from './identity.ts'
import type { Row } from './reference.ts'

/** Returns one row per effect, in the order of the definition. An effect is identified by its cause
 * and content, without the profile. */
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
