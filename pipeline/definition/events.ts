/**
 * What `definitions/events.ts` says: which events there are, and what their properties must be.
 */

import type { ZodType } from 'zod'
import { isPlain, Problems } from './problems.ts'

export type EventDefinitions<Name extends string = string> = {
  /** By name: the schema of the properties, or null when anything goes. Schemas judge; what lands
   * is what was sent. */
  events: { [N in Name]: ZodType | null }
  /** What becomes of events of other names: `accept` (default) or `refuse`. */
  unknown?: 'accept' | 'refuse'
}

/** Schemas for a definitions folder that lies elsewhere, where `zod` does not resolve. */
export { z } from 'zod'

/** Everything wrong with `events.ts`; what it leaves out is no fault. */
export function checkEvents(file: string, definitions: unknown): string[] {
  const problems = new Problems(file)
  if (!isPlain(definitions)) {
    problems.add('', 'the default export is no object; export default defineEvents({ … })')
    return problems.found
  }
  for (const member of Object.keys(definitions)) {
    if (member === 'events' || member === 'unknown') continue
    problems.add('', `${member} is unknown; write one of events, unknown`)
  }
  const { events, unknown } = definitions
  if (events !== undefined && !isPlain(events)) {
    problems.add('', 'events is no map; write events: { name: schema or null }')
  }
  for (const [name, schema] of Object.entries(isPlain(events) ? events : {})) {
    if (schema === null || typeof (schema as Partial<ZodType>)?.safeParse === 'function') continue
    problems.add(`event '${name}'`, 'its schema is no zod schema; write z.object({ … }) or null')
  }
  if (unknown !== undefined && unknown !== 'accept' && unknown !== 'refuse') {
    problems.add('', `unknown ${JSON.stringify(unknown)} is no rule; write 'accept' or 'refuse'`)
  }
  return problems.found
}

/** Types the default export of `definitions/events.ts`. */
export function defineEvents<Name extends string>(
  definitions: EventDefinitions<Name>,
): EventDefinitions<Name> {
  return definitions
}
