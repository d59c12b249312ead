/**
 * What `definitions/events.ts` says: which events there are, and what their properties must be.
 */

import type { ZodType } from 'zod'

export type EventDefinitions<Name extends string = string> = {
  /** By name: the schema of the properties, or null when anything goes. Schemas judge; what lands
   * is what was sent. */
  events: { [N in Name]: ZodType | null }
  /** What becomes of events of other names: `accept` (default) or `refuse`. */
  unknown?: 'accept' | 'refuse'
}

/** Types the default export of `definitions/events.ts`. */
export function defineEvents<Name extends string>(
  definitions: EventDefinitions<Name>,
): EventDefinitions<Name> {
  return definitions
}
