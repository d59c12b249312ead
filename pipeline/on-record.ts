/**
 * What a warehouse has on record, as the pipeline takes it: the definitions its views show, and
 * its relations as they were believed at an instant. Nothing is read from a definitions directory.
 */

import { formatInstant } from './clock.ts'
import { makeDefinitions, type Definitions } from './definitions.ts'
import { UserError } from './errors.ts'
import type { EventFunnel } from './funnel-definition.ts'
import type { Identity, Journey, Sessions } from './journey.ts'
import type { Warehouse } from './warehouse.ts'

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

/** The definitions in force at an instant: of each kind and id, the version promoted last. */
export async function definitionsOnRecord(
  warehouse: Warehouse,
  asOf: number | null = null,
): Promise<Definitions> {
  const rows = await warehouse.query(
    `select kind, id, version, action, content from releases where ${recordedBy(asOf)}
     order by recorded_by, action`,
  )
  if (rows.length === 0) {
    throw new UserError(
      asOf === null
        ? `${warehouse.url} has no definitions on record: run npm start on it first`
        : `${warehouse.url} had nothing on record at ${formatInstant(asOf)}: give a later instant`,
    )
  }
  const nameOf = (row: (typeof rows)[number]) => JSON.stringify([row['kind'], row['id']])
  const versions = new Map<string, unknown>()
  for (const row of rows) {
    if (row['action'] === 'promoted') versions.set(nameOf(row), row['version'])
  }
  const contents = new Map<unknown, unknown[]>()
  for (const row of rows) {
    if (row['action'] !== 'registered') continue
    const live = versions.get(nameOf(row))
    if (live !== undefined && live !== row['version']) continue
    const content: unknown = JSON.parse(row['content'] as string)
    contents.set(row['kind'], [...(contents.get(row['kind']) ?? []), content])
  }
  return makeDefinitions({
    identity: (contents.get('identity')?.at(-1) ?? {}) as Partial<Identity>,
    sessions: (contents.get('sessions')?.at(-1) ?? {}) as Partial<Sessions>,
    journeys: (contents.get('journey') ?? []) as Journey[],
    funnels: (contents.get('funnel') ?? []) as EventFunnel[],
  })
}
