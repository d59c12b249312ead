/**
 * Recorded state of a warehouse: its definitions in force, and its relations as of an instant of
 * knowledge time. Reads nothing from a definitions directory.
 */

import { formatInstant } from '../base/clock.ts'
import { withReleases, type Definitions, type Release } from '../definition/load.ts'
import { UserError } from '../base/errors.ts'
import type { EventFunnel } from '../definition/funnel.ts'
import { identityOf, sessionsOf, type Identity, type Sessions } from '../definition/settings.ts'
import type { Journey } from '../definition/journey.ts'
import { ReleaseLog } from '../warehouse/release-log.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

/** Returns an instant as a literal that every engine reads. */
export function instantLiteral(instant: number): string {
  return `timestamp '${formatInstant(instant)}'`
}

/** Returns a view of versioned rows, or the same view as of an instant. */
export function believed(warehouse: Warehouse, view: string, asOf: number | null): string {
  return asOf === null ? view : warehouse.asOf(view, asOf)
}

/** Returns the condition for the rows of a log that existed at an instant. */
export function recordedBy(asOf: number | null): string {
  return asOf === null ? 'true' : `recorded_at <= ${instantLiteral(asOf)}`
}

/** Error of a warehouse without events, with the command that loads some. */
export function emptyError({ url }: Warehouse): UserError {
  return new UserError(`${url} contains no events; load some`, 1, {
    script: 'start',
    args: ['FILE'],
  })
}

/** Returns the definitions in force at an instant: per kind and id, the version that was live. */
export async function definitionsOnRecord(
  warehouse: Warehouse,
  asOf: number | null = null,
): Promise<Definitions> {
  const log = await ReleaseLog.read(warehouse, recordedBy(asOf))
  if (log.entries.length === 0) {
    if (asOf === null) throw emptyError(warehouse)
    throw new UserError(`${warehouse.url} was empty at ${formatInstant(asOf)}: use a later instant`)
  }
  const live = log.live()
  const contents = <T>(kind: string, entries: readonly Release[]): T[] =>
    entries.filter((entry) => entry.kind === kind).map(({ content }) => JSON.parse(content) as T)
  return withReleases({
    identity: identityOf(contents<Partial<Identity>>('identity', log.entries).at(-1) ?? {}),
    sessions: sessionsOf(contents<Partial<Sessions>>('sessions', log.entries).at(-1) ?? {}),
    journeys: contents<Journey>('journey', live),
    funnels: contents<EventFunnel>('funnel', live),
    cohorts: [],
    finalStates: [],
  })
}
