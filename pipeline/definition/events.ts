/**
 * Shape and checks of `definitions/events.ts`: the events and the schemas of their properties.
 */

import type { ZodType } from 'zod'
import { isPlain, Problems } from './check/problems.ts'

export type EventDefinitions<Name extends string = string> = {
  /** Schema of the properties by event name, or null to accept any. Schemas only accept or reject;
   * the stored event is what was sent. */
  events: { [N in Name]: ZodType | null }
  /** Events with other names: `accept` (default) or `refuse`. */
  unknown?: 'accept' | 'refuse'
}

/** Zod for a definitions folder elsewhere, where `zod` does not resolve. */
export { z } from 'zod'

/** Returns every problem of `events.ts`; empty if it is valid. Every member is optional. */
export function checkEvents(file: string, definitions: unknown): string[] {
  const problems = new Problems(file)
  if (!isPlain(definitions)) {
    problems.add('', 'the default export is not an object; export default defineEvents({ … })')
    return problems.found
  }
  for (const member of Object.keys(definitions)) {
    if (member === 'events' || member === 'unknown') continue
    problems.add('', `${member} is unknown; write one of events, unknown`)
  }
  const { events, unknown } = definitions
  if (events !== undefined && !isPlain(events)) {
    problems.add('', 'events is not a map; write events: { name: schema or null }')
  }
  for (const [name, schema] of Object.entries(isPlain(events) ? events : {})) {
    if (schema === null || typeof (schema as Partial<ZodType>)?.safeParse === 'function') continue
    problems.add(`event '${name}'`, 'its schema is not a zod schema; write z.object({ … }) or null')
  }
  if (unknown !== undefined && unknown !== 'accept' && unknown !== 'refuse') {
    problems.add('', `unknown ${JSON.stringify(unknown)} is not a rule; write 'accept' or 'refuse'`)
  }
  return problems.found
}

/** Types the default export of `definitions/events.ts`. */
export function defineEvents<Name extends string>(
  definitions: EventDefinitions<Name>,
): EventDefinitions<Name> {
  return definitions
}
