/**
 * What a warehouse has on record about definitions: which versions there are, which one of each is
 * live, and so what a run derives the tables from. The record, not the directory, decides: a new
 * version in the directory is built beside the live one (`rebuild.ts`) before it can be promoted.
 * Identity and sessions have one version in force, the latest: a replay of everything changes it.
 */

import {
  withReleases,
  type Definitions,
  type Release,
  type VersionName,
} from '../definition/load.ts'
import { isPlain } from '../definition/problems.ts'
import { UserError } from '../base/errors.ts'
import type { EventFunnel } from '../definition/funnel.ts'
import type { Identity } from '../definition/settings.ts'
import type { Journey } from '../definition/journey.ts'
import type { Warehouse } from './warehouse.ts'

/** What moves the pointer of the live version. */
const MOVES = ['promoted', 'rolled_back'] as const

/** How a version came to be on record, was built again (for some profiles, or for all), or became
 * the live one. */
export type ReleaseAction = 'registered' | 'replayed_in_part' | 'replayed' | (typeof MOVES)[number]

export function isMove(action: ReleaseAction): boolean {
  return MOVES.some((move) => move === action)
}

/** The same as a condition, in SQL. */
export const IS_MOVE = `action in (${MOVES.map((move) => `'${move}'`).join(', ')})`

/** A row to be written. `by` is null for what a run does by itself. */
export type ReleaseEntry = Release & { action: ReleaseAction; reason: string; by: string | null }

/** A row as it stands. */
export type RecordedEntry = Release & { action: ReleaseAction; batch: number }

/** A definition with versions, in words. */
export function nameOf({ kind, id, version }: VersionName): string {
  return `${kind} ${id} ${version}`
}

export class ReleaseLog {
  readonly entries: readonly RecordedEntry[]

  constructor(entries: readonly RecordedEntry[]) {
    this.entries = entries
  }

  /** `condition` says, in SQL, which rows are read. */
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

  /** The identity or sessions definition that the tables follow from. */
  inForce(kind: string): Release | undefined {
    return this.entries.findLast((entry) => entry.kind === kind)
  }

  /** The live version of every journey and funnel that has one. */
  live(): Release[] {
    const ids = new Map(this.entries.map(({ kind, id }) => [`${kind}/${id}`, { kind, id }]))
    return [...ids.values()].flatMap(({ kind, id }) => this.#liveOf(kind, id) ?? [])
  }

  /** Every version that has been live and was not rolled back from, the live one last. */
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

/** What a run derives the tables from. */
export type Running = {
  /** Identity and sessions as they are on record, and the live version of all that has versions. */
  definitions: Definitions
  /** To be put on record, live at once: everything in a new warehouse, else nothing. */
  unreleased: Release[]
  /** Versions of the directory that are not the live ones. */
  waiting: Release[]
}

/**
 * Throws a `UserError` when what may not change has changed, because the tables would no longer
 * follow from the events and the definitions. `isReplayed`: everything is about to be derived
 * again, so identity and sessions may be others than on record.
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
      `${nameOf(release)} is released in this warehouse, but the definitions lack it: ` +
        'put its file back, or start a new warehouse',
    )
  }
  return { definitions: liveDefinitions(definitions, live), unreleased: [], waiting }
}

/** These definitions with the one version in the place of another of its name, if there is one. */
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

/** The rows that put definitions on record in a new warehouse. */
export function firstEntries(releases: readonly Release[]): ReleaseEntry[] {
  return releases.flatMap((release) => {
    const entry = { ...release, reason: 'first release', by: null }
    const registered: ReleaseEntry = { ...entry, action: 'registered' }
    return isVersioned(release) ? [registered, { ...entry, action: 'promoted' }] : [registered]
  })
}

/** Whether several versions can be on record of which one is live. */
export function isVersioned({ kind }: VersionName): boolean {
  return kind === 'journey' || kind === 'funnel'
}

/**
 * Identity and sessions as they are to be put on record by a replay of everything: the next
 * version of what has changed, and what has not under the version it has.
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

/** Stored values are read back as they landed, hashed or not. */
function refuseOtherHashing({ identity }: Definitions, log: ReleaseLog): void {
  const known = JSON.parse(log.inForce('identity')?.content ?? '{}') as Partial<Identity>
  const namespaces = [...new Set([...(known.hashed ?? []), ...identity.hashed])]
  const other = namespaces.filter(
    (one) => known.hashed?.includes(one) !== identity.hashed.includes(one),
  )
  if (other.length === 0) return
  throw new UserError(
    `identity.ts and what has landed do not agree on whether ${other.join(', ')} is hashed, and ` +
      'a replay does not change what has landed: undo that, or feed a new warehouse',
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
