/**
 * Revisions of a profile's explanation: one for every batch that changed it. All versions are read
 * once, so the number of queries does not depend on the number of revisions.
 *
 * A person may have been several profiles before. Each revision therefore explains the requested
 * profile and all profiles that owned its events at the time. A profile that has merged into it
 * completely is explained whole; of any other profile, only the events that are now the person's.
 */

import type { Definitions } from '../definition/load.ts'
import { definitionsOnRecord, instantLiteral } from './as-of.ts'
import { isOfTime } from './explain-outcome.ts'
import { explainVersions, type Explanation } from './explain.ts'
import { correctionsOf, type Correction } from './explain-corrections.ts'
import { versionsOf, type Versions } from './profile-versions.ts'
import { marksOf } from '../warehouse/parameters.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

/** `isWhole`: includes timeouts and pending deadlines. */
export type ProfileRevision = Explanation & { isWhole: boolean }

export type Revision = {
  /** When it was recorded, microseconds; by which batch of which input. */
  at: number
  batch: number
  origin: string
  watermark: number | null
  /** The requested profile first, if it existed. */
  profiles: ProfileRevision[]
}

export type Revisions = {
  /** In order of knowledge time; the last one is current. */
  revisions: Iterable<Revision>
  /** Number of earlier revisions that are left out. */
  leftOut: number
  corrections: Correction[]
}

export type RevisionsQuestion = {
  warehouse: Warehouse
  /** Current id of the profile. */
  profileId: string
  /** Only this journey; null means all. */
  journey: string | null
  revisionsMax: number
}

export async function explainRevisions(question: RevisionsQuestion): Promise<Revisions> {
  const { warehouse, profileId, journey, revisionsMax } = question
  const profileIds = await profilesOf(warehouse, profileId)
  const versions = await versionsOf(warehouse, profileIds)
  const batches = await batchesOf(warehouse, profileIds, versions)
  const shownBatches = batches.slice(-revisionsMax)
  const definitionsAt = await definitionsOver(warehouse, shownBatches)
  const own = new Set(
    versions.events
      .filter((row) => row['profile_id'] === profileId && row['superseded_at'] === null)
      .map((row) => row['event_id'] as string),
  )
  const corrections: Correction[] = []
  for (const id of profileIds) {
    corrections.push(...(await correctionsOf({ warehouse, profileId: id, asOf: null })))
  }
  return {
    revisions: revisionsOf({ versions, profileIds, own, shownBatches, definitionsAt, journey }),
    leftOut: batches.length - shownBatches.length,
    corrections: merged(corrections),
  }
}

/** Merges what one batch superseded for one reason in several profiles into one correction. */
function merged(corrections: readonly Correction[]): Correction[] {
  const found = new Map<string, Correction>()
  for (const correction of corrections) {
    const key = `${correction.batch} ${correction.because}`
    const { events = [], takenBack = [] } = found.get(key) ?? {}
    const others = correction.events.filter(
      ({ eventId }) => !events.some((event) => event.eventId === eventId),
    )
    found.set(key, {
      ...correction,
      events: [...events, ...others],
      takenBack: [...new Set([...takenBack, ...correction.takenBack])],
    })
  }
  return [...found.values()].sort((a, b) => a.batch - b.batch)
}

/** Returns the profile and every other profile that ever owned one of its events. */
async function profilesOf(warehouse: Warehouse, profileId: string): Promise<string[]> {
  const rows = await warehouse.query(
    `select distinct was.profile_id from event_profile_versions as was
     inner join event_profiles as whose on whose.event_id = was.event_id
     where whose.profile_id = ? and was.profile_id <> ? order by was.profile_id`,
    [profileId, profileId],
  )
  return [profileId, ...rows.map((row) => row['profile_id'] as string)]
}

/** Returns the batches that changed a version, and the newest batch. */
async function batchesOf(
  warehouse: Warehouse,
  profileIds: string[],
  { events, sessions, identities }: Versions,
): Promise<Row[]> {
  const facts = await warehouse.query(
    ['transition_facts', 'rejection_facts']
      .map(
        (table) =>
          `select distinct recorded_at, superseded_at from ${table}
           where profile_id in (${marksOf(profileIds)})`,
      )
      .join(' union all '),
    [...profileIds, ...profileIds],
  )
  const instants = new Set<unknown>()
  for (const row of [...events, ...sessions, ...identities, ...facts]) {
    instants.add(row['recorded_at']).add(row['superseded_at'])
  }
  const batches = await warehouse.query(
    'select batch, recorded_at, watermark, origin from batches order by batch',
  )
  return batches.filter((row, i) => instants.has(row['recorded_at']) || i === batches.length - 1)
}

/** Returns the definitions in force after each batch. They change only with a release. */
async function definitionsOver(
  warehouse: Warehouse,
  batches: readonly Row[],
): Promise<(at: number) => Definitions> {
  const last = batches.at(-1)?.['recorded_at'] as number
  const rows = await warehouse.query(
    `select distinct recorded_at from releases where recorded_at <= ${instantLiteral(last)}
     order by recorded_at desc`,
  )
  const releasedAt = rows.map((row) => row['recorded_at'] as number)
  const known = new Map<number, Definitions>()
  for (const { recorded_at: at } of batches) {
    const since = releasedAt.find((released) => released <= (at as number)) as number
    if (!known.has(since)) known.set(since, await definitionsOnRecord(warehouse, since))
  }
  return (at) => known.get(releasedAt.find((released) => released <= at) as number) as Definitions
}

function* revisionsOf(parts: {
  versions: Versions
  profileIds: string[]
  own: ReadonlySet<string>
  shownBatches: Row[]
  definitionsAt: (at: number) => Definitions
  journey: string | null
}): Generator<Revision> {
  const { versions, profileIds, own, shownBatches, definitionsAt, journey } = parts
  for (const row of shownBatches) {
    const at = row['recorded_at'] as number
    const watermark = row['watermark'] as number | null
    const then = { asOf: at, journey, watermark, definitions: definitionsAt(at) }
    const profiles = profileIds.flatMap((profileId, i): ProfileRevision[] => {
      const explanation = explainVersions(versions, { ...then, profileId })
      const isWhole = i === 0 || explanation.steps.every(({ eventId }) => own.has(eventId))
      const shown = isWhole ? explanation : partOf(explanation, own)
      return shown.steps.length === 0 ? [] : [{ ...shown, isWhole }]
    })
    const [batch, origin] = [row['batch'] as number, row['origin'] as string]
    yield { at, batch, origin, watermark, profiles }
  }
}

/** Keeps the part of another profile's explanation that concerns events of the person. */
function partOf(explanation: Explanation, own: ReadonlySet<string>): Explanation {
  const steps = explanation.steps
    .filter(({ eventId }) => own.has(eventId))
    .map((step) => ({
      ...step,
      outcomes: step.outcomes.filter((outcome) => !isOfTime(outcome)),
    }))
  const sessionIds = new Set(steps.map(({ sessionId }) => sessionId))
  const sessions = explanation.sessions.filter(({ sessionId }) => sessionIds.has(sessionId))
  return { ...explanation, steps, sessions, identifiers: [], since: [], pending: [] }
}
