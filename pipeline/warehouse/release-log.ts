/**
 * Release log: which versions of definitions exist, which are live, and therefore what runs derive
 * the tables from. The log decides, not the definitions folder: a new version in the folder is
 * built beside the live one (`operations/release-version.ts`) before it can be promoted. Identity and
 * sessions have one version in force, the latest; only a full replay changes it.
 */

import {
  withReleases,
  type Definitions,
  type Release,
  type VersionName,
} from '../definition/load.ts'
import { isPlain } from '../definition/check/problems.ts'
import { UserError } from '../base/errors.ts'
import type { EventFunnel } from '../definition/funnel.ts'
import type { Identity } from '../definition/settings.ts'
import type { Journey } from '../definition/journey.ts'
import type { Warehouse } from './warehouse.ts'

/** Actions that change the live version. */
const MOVES = ['promoted', 'rolled_back'] as const

/** Action on a version: registered, rebuilt (for some profiles or for all), or made live. */
export type ReleaseAction = 'registered' | 'replayed_in_part' | 'replayed' | (typeof MOVES)[number]

export function isMove(action: ReleaseAction): boolean {
  return MOVES.some((move) => move === action)
}

/** SQL condition for these actions. */
export const IS_MOVE = `action in (${MOVES.map((move) => `'${move}'`).join(', ')})`

/** Row to write. `by` is null for rows that a run writes by itself. */
export type ReleaseEntry = Release & { action: ReleaseAction; reason: string; by: string | null }

/** Recorded row. */
export type RecordedEntry = Release & { action: ReleaseAction; batch: number }

/** Returns the name of a version, such as `journey checkout 2`. */
export function nameOf({ kind, id, version }: VersionName): string {
  return `${kind} ${id} ${version}`
}

export class ReleaseLog {
  readonly entries: readonly RecordedEntry[]

  constructor(entries: readonly RecordedEntry[]) {
    this.entries = entries
  }

  /** Reads the log. `condition` selects rows, in SQL. */
  static async read(warehouse: Warehouse, condition = 'true'): Promise<ReleaseLog> {
    const rows = await warehouse.query(
      `select kind, id, version, action, releases.hash, content, recorded_by as batch
       from releases where ${condition} order by recorded_by`,
    )
    return new ReleaseLog(rows as RecordedEntry[])
  }

  registered(kind: string, id: string, version: number): Release | undefined {
    return this.entries.find(
      (entry) =>
        entry.action === 'registered' &&
        entry.kind === kind &&
        entry.id === id &&
        entry.version === version,
    )
  }

  /** Returns the identity or sessions definition that the tables are derived from. */
  inForce(kind: string): Release | undefined {
    return this.entries.findLast((entry) => entry.kind === kind)
  }

  /** Returns the live version of every journey and funnel that has one. */
  live(): Release[] {
    const ids = new Map(this.entries.map(({ kind, id }) => [`${kind}/${id}`, { kind, id }]))
    return [...ids.values()].flatMap(({ kind, id }) => this.#liveOf(kind, id) ?? [])
  }

  /** Returns every version that was live and was not rolled back, the live one last. */
  promoted(kind: string, id: string): RecordedEntry[] {
    const stack: RecordedEntry[] = []
    for (const entry of this.entries) {
      if (entry.kind !== kind || entry.id !== id) continue
      if (entry.action === 'promoted') stack.push(entry)
      if (entry.action !== 'rolled_back') continue
      while (stack.length > 0 && stack.at(-1)?.version !== entry.version) stack.pop()
    }
    return stack
  }

  #liveOf(kind: string, id: string): Release | undefined {
    return this.promoted(kind, id).at(-1)
  }
}

/** Definitions that a run derives the tables from. */
export type Running = {
  /** Recorded identity and sessions, and the live version of each journey and funnel. */
  definitions: Definitions
  /** Definitions to record as live: all for a new warehouse, otherwise none. */
  unreleased: Release[]
  /** Versions in the folder that are not live. */
  waiting: Release[]
}

/**
 * Returns the definitions in force. Throws a `UserError` if a definition was changed that must not
 * change, because the tables would no longer match it. With `isReplayed`, everything is about to be
 * derived again, so identity and sessions may differ from the recorded ones.
 */
export function runningOf(definitions: Definitions, log: ReleaseLog, isReplayed = false): Running {
  if (log.entries.length === 0) {
    return { definitions, unreleased: definitions.releases, waiting: [] }
  }
  const live = log.live()
  const waiting: Release[] = []
  for (const release of definitions.releases) {
    if (isVersioned(release)) {
      const known = log.registered(release.kind, release.id, release.version)
      if (known !== undefined && known.hash !== release.hash) throw changedContent(release, known)
      if (!live.some((one) => isSame(one, release))) waiting.push(release)
    } else if (!isReplayed) {
      const known = log.inForce(release.kind)
      if (known?.hash !== release.hash) throw changedContent(release, known)
    }
  }
  if (isReplayed) refuseOtherHashing(definitions, log)
  for (const release of live) {
    const isDefined = definitions.releases.some(
      ({ kind, id }) => kind === release.kind && id === release.id,
    )
    if (isDefined) continue
    throw new UserError(
      `${nameOf(release)} is released in this warehouse, but the definitions do not contain it: ` +
        'restore its file, or use a new warehouse',
    )
  }
  return { definitions: liveDefinitions(definitions, live), unreleased: [], waiting }
}

/** Replaces the version with the same name, if there is one, by the given version. */
export function exchanged(definitions: Definitions, release: Release): Definitions {
  const { identity, sessions, cohorts, finalStates } = definitions
  const others = <T extends { id: string }>(kind: string, list: T[]) =>
    list.filter(({ id }) => kind !== release.kind || id !== release.id)
  const journeys = others('journey', definitions.journeys)
  const funnels = others('funnel', definitions.funnels)
  if (release.kind === 'journey') journeys.push(JSON.parse(release.content) as Journey)
  else funnels.push(JSON.parse(release.content) as EventFunnel)
  return withReleases({ identity, sessions, journeys, funnels, cohorts, finalStates })
}

/** Returns the rows that record definitions in a new warehouse. */
export function firstEntries(releases: readonly Release[]): ReleaseEntry[] {
  return releases.flatMap((release) => {
    const entry = { ...release, reason: 'first release', by: null }
    const registered: ReleaseEntry = { ...entry, action: 'registered' }
    return isVersioned(release) ? [registered, { ...entry, action: 'promoted' }] : [registered]
  })
}

/** Returns whether a definition has several versions of which one is live. */
export function isVersioned({ kind }: VersionName): boolean {
  return kind === 'journey' || kind === 'funnel'
}

/**
 * Returns identity and sessions as a full replay records them: the next version of what has
 * changed, and the same version of what has not.
 */
export function nextInForce(definitions: Definitions, log: ReleaseLog): Release[] {
  return definitions.releases
    .filter((release) => !isVersioned(release))
    .map((release) => {
      const known = log.inForce(release.kind)
      const version = known?.version ?? 0
      return { ...release, version: known?.hash === release.hash ? version : version + 1 }
    })
}

export function isSame(a: VersionName, b: VersionName): boolean {
  return a.kind === b.kind && a.id === b.id && a.version === b.version
}

/** Rejects a change of hashing, because stored values stay as they are, hashed or not. */
function refuseOtherHashing({ identity }: Definitions, log: ReleaseLog): void {
  const known = JSON.parse(log.inForce('identity')?.content ?? '{}') as Partial<Identity>
  const namespaces = [...new Set([...(known.hashed ?? []), ...identity.hashed])]
  const other = namespaces.filter(
    (one) => known.hashed?.includes(one) !== identity.hashed.includes(one),
  )
  if (other.length === 0) return
  throw new UserError(
    `identity.ts and the stored events disagree on whether ${other.join(', ')} is hashed, and ` +
      'a replay does not change stored events: undo the change, or load the events into a new warehouse',
  )
}

function liveDefinitions(definitions: Definitions, live: Release[]): Definitions {
  const contents = (kind: string) =>
    live.filter((release) => release.kind === kind).map(({ content }) => JSON.parse(content))
  return withReleases({
    identity: definitions.identity,
    sessions: definitions.sessions,
    journeys: contents('journey') as Journey[],
    funnels: contents('funnel') as EventFunnel[],
    cohorts: definitions.cohorts,
    finalStates: definitions.finalStates,
  })
}

function changedContent(release: Release, known: Release | undefined): UserError {
  const { kind, id, version } = release
  const how = differences(known?.content ?? '{}', release.content).join(', ')
  return isVersioned(release)
    ? new UserError(
        `${kind} ${id} ${version} is released and its content has changed (${how}): undo the ` +
          `change, or give it version ${version + 1} and build that`,
        1,
        { script: 'replay', args: [`--${kind}`, id] },
      )
    : new UserError(
        `${id}.ts has changed since the tables were derived (${how}): a full replay is needed; ` +
          'undo the change, or derive everything again',
        1,
        { script: 'replay', args: ['--all'] },
      )
}

const DIFFERENCES_SHOWN = 5
const VALUE_SHOWN = 60

/** Returns where two definitions differ, as `path: recorded value → new value`; the first few. */
export function differences(recorded: string, given: string): string[] {
  const found: string[] = []
  const compare = (path: string, a: unknown, b: unknown): void => {
    const [was, is] = [JSON.stringify(a), JSON.stringify(b)]
    if (was === is) return
    if (!isPlain(a) || !isPlain(b)) {
      found.push(`${path}: ${shortened(was)} → ${shortened(is)}`)
      return
    }
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])]
    const before = found.length
    for (const name of names) compare(path === '' ? name : `${path}.${name}`, a[name], b[name])
    if (found.length === before) found.push(`${path === '' ? 'the' : path}: order of its members`)
  }
  compare('', JSON.parse(recorded), JSON.parse(given))
  const more = found.length - DIFFERENCES_SHOWN
  return more <= 0 ? found : [...found.slice(0, DIFFERENCES_SHOWN), `and ${more} more`]
}

function shortened(json: string | undefined): string {
  if (json === undefined) return 'absent'
  return json.length <= VALUE_SHOWN ? json : `${json.slice(0, VALUE_SHOWN)}…`
}
