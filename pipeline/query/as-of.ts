/**
 * What a warehouse has on record, as the pipeline takes it: the definitions its views show, and
 * its relations as they were believed at an instant. Nothing is read from a definitions directory.
 */

import { formatInstant } from '../base/clock.ts'
import { withReleases, type Definitions, type Release } from '../definition/load.ts'
import { UserError } from '../base/errors.ts'
import type { EventFunnel } from '../definition/funnel.ts'
import { identityOf, sessionsOf, type Identity, type Sessions } from '../definition/settings.ts'
import type { Journey } from '../definition/journey.ts'
import { ReleaseLog } from '../warehouse/release-log.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

/** An instant as every engine reads it. */
export function instantLiteral(instant: number): string {
  return `timestamp '${formatInstant(instant)}'`
}

/** A view of versioned rows as it is, or as it was believed at an instant. */
export function believed(view: string, asOf: number | null): string {
  return asOf === null ? view : `${view}_as_of(${instantLiteral(asOf)})`
}

/** For a log: the rows that were there at an instant. */
export function recordedBy(asOf: number | null): string {
  return asOf === null ? 'true' : `recorded_at <= ${instantLiteral(asOf)}`
}

/** The definitions in force at an instant: of each kind and id, the version that was live. */
export async function definitionsOnRecord(
  warehouse: Warehouse,
  asOf: number | null = null,
): Promise<Definitions> {
  const log = await ReleaseLog.read(warehouse, recordedBy(asOf))
  if (log.entries.length === 0) {
    throw new UserError(
      asOf === null
        ? `${warehouse.url} has no definitions on record: run npm start on it first`
        : `${warehouse.url} had nothing on record at ${formatInstant(asOf)}: give a later instant`,
    )
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
  })
}
