/**
 * Loads a folder of definitions, checks them and fills in every default.
 *
 * Files default-export plain data; each file is optional. One error lists the problems of all
 * files. `release-log.ts` compares the hashes of definitions with the recorded ones.
 */

import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { checkCohort } from './check/check-cohort.ts'
import { checkFunnel } from './check/check-funnel.ts'
import { checkJourney } from './check/check-journey.ts'
import { checkIdentity, checkSessions } from './check/check-settings.ts'
import type { Cohort } from './cohort.ts'
import { UserError } from '../base/errors.ts'
import { checkNames, type NamedDefinitions } from './check/check-names.ts'
import { checkEvents, type EventDefinitions } from './events.ts'
import { importModule, type Module } from './import-module.ts'
import type { EventFunnel } from './funnel.ts'
import { identityOf, sessionsOf, type Identity, type Sessions } from './settings.ts'
import type { Journey } from './journey.ts'
import { finalStatesOf, withoutOutcomes, type FinalState } from './outcome.ts'
import { isPlain } from './check/problems.ts'

/** Definition as it is recorded: `content` is canonical JSON, `hash` its SHA-256. */
export type Release = VersionName & { hash: string; content: string }

export type Definitions = {
  identity: Identity
  sessions: Sessions
  /** By ascending id. */
  journeys: Journey[]
  /** Funnels whose steps are events, by ascending id. */
  funnels: EventFunnel[]
  /** By ascending id. */
  cohorts: Cohort[]
  /** Final states of the journeys as they are defined, whichever version is live. */
  finalStates: FinalState[]
  /** Recorded before anything is derived: everything except the cohorts. */
  releases: Release[]
}

/** Checks definitions and fills in the defaults. Throws a `UserError` that lists every problem. */
export function makeDefinitions(parts: {
  identity?: Partial<Identity>
  sessions?: Partial<Sessions>
  journeys?: Journey[]
  funnels?: EventFunnel[]
  cohorts?: Cohort[]
}): Definitions {
  return checked({
    identity: { file: 'identity.ts', definition: parts.identity ?? {} },
    sessions: { file: 'sessions.ts', definition: parts.sessions ?? {} },
    journeys: (parts.journeys ?? []).map((journey) => ({
      file: `journeys/${isPlain(journey) ? journey.id : 'nameless'}.ts`,
      definition: journey,
    })),
    funnels: (parts.funnels ?? []).map((funnel) => ({
      file: `funnels/${funnel.id}.ts`,
      definition: funnel,
    })),
    cohorts: (parts.cohorts ?? []).map((cohort) => ({
      file: `cohorts/${cohort.id}.ts`,
      definition: cohort,
    })),
  })
}

/**
 * Reads `identity.ts`, `sessions.ts` and the files of `journeys`, `funnels` and `cohorts`, and
 * compares the names in them with `events.ts`. `warnings` are for the author. Throws a `UserError`
 * that lists all problems.
 */
export async function loadDefinitions(dir: string): Promise<Definitions & { warnings: string[] }> {
  const found = await stat(dir).catch(() => null)
  if (found === null || !found.isDirectory()) {
    throw new UserError(`--definitions ${dir} is not a folder: use one that contains journeys/*.ts`)
  }
  const modules = {
    identity: (await loadModule(dir, 'identity')) ?? { file: 'identity.ts', definition: {} },
    sessions: (await loadModule(dir, 'sessions')) ?? { file: 'sessions.ts', definition: {} },
    journeys: await importAll(dir, 'journeys'),
    funnels: await importAll(dir, 'funnels'),
    cohorts: await importAll(dir, 'cohorts'),
  }
  const definitions = checked(modules)
  const events = await loadEventDefinitions(dir)
  const { errors, warnings } = checkNames(modules as NamedDefinitions, events)
  refuseUnsound(errors)
  return { ...definitions, warnings }
}

async function importAll(dir: string, folder: string): Promise<Module[]> {
  const files = await modulesIn(resolve(dir, folder))
  return Promise.all(files.map((file) => importModule(dir, `${folder}/${file}`)))
}

/** Reads `identity.ts` of a folder, or returns the defaults. */
export async function loadIdentity(dir: string): Promise<Identity> {
  const module = (await loadModule(dir, 'identity')) ?? { file: 'identity.ts', definition: {} }
  refuseUnsound(checkIdentity(module.file, module.definition))
  return identityOf(module.definition as Partial<Identity>)
}

/** Reads `events.ts` of a folder. Without it, any event with any properties is accepted. */
export async function loadEventDefinitions(dir: string): Promise<EventDefinitions> {
  const module = await loadModule(dir, 'events')
  if (module === null) return { events: {} }
  refuseUnsound(checkEvents(module.file, module.definition))
  return { events: {}, ...(module.definition as Partial<EventDefinitions>) }
}

const EXTENSIONS = ['.ts', '.js', '.mjs']

async function modulesIn(dir: string): Promise<string[]> {
  const files = await readdir(dir).catch((): string[] => [])
  return files
    .filter((file) => EXTENSIONS.some((extension) => file.endsWith(extension)))
    .filter((file) => !file.endsWith('.d.ts'))
    .sort()
}

async function loadModule(dir: string, name: string): Promise<Module | null> {
  const files = await modulesIn(resolve(dir))
  const file = files.find((candidate) => EXTENSIONS.some((end) => candidate === name + end))
  return file === undefined ? null : importModule(dir, file)
}

function checked(modules: {
  identity: Module
  sessions: Module
  journeys: Module[]
  funnels: Module[]
  cohorts: Module[]
}): Definitions {
  const { identity, sessions, journeys, funnels, cohorts } = modules
  const problems = [
    ...checkIdentity(identity.file, identity.definition),
    ...checkSessions(sessions.file, sessions.definition),
    ...journeys.flatMap(({ file, definition }) => checkJourney(file, definition)),
    ...repeated('journey', journeys),
    ...funnels.flatMap(({ file, definition }) => checkFunnel(file, definition)),
    ...repeated('funnel', funnels),
  ]
  refuseUnsound(problems)
  refuseUnsound([
    ...cohorts.flatMap(({ file, definition }) =>
      checkCohort(
        file,
        definition,
        journeys.map((journey) => journey.definition as Journey),
      ),
    ),
    ...repeated('cohort', cohorts),
  ])
  const written = journeys.map(({ definition }) => definition as Journey)
  return withReleases({
    identity: identityOf(identity.definition as Partial<Identity>),
    sessions: sessionsOf(sessions.definition as Partial<Sessions>),
    journeys: written.map(withoutOutcomes),
    finalStates: written.flatMap(finalStatesOf),
    funnels: funnels.map(({ definition }) => definition as EventFunnel),
    cohorts: cohorts.map(({ definition }) => definition as Cohort),
  })
}

/** Returns checked definitions by ascending id, with their releases. */
export function withReleases(parts: Omit<Definitions, 'releases'>): Definitions {
  const { identity, sessions, finalStates } = parts
  const journeys = byId(parts.journeys)
  const funnels = byId(parts.funnels)
  return {
    identity,
    sessions,
    journeys,
    funnels,
    cohorts: byId(parts.cohorts),
    finalStates,
    releases: [
      releaseOf('identity', 'identity', 1, identity),
      releaseOf('sessions', 'sessions', 1, sessions),
      ...journeys.map((journey) => releaseOf('journey', journey.id, journey.version, journey)),
      ...funnels.map((funnel) => releaseOf('funnel', funnel.id, funnel.version ?? 1, funnel)),
    ],
  }
}

function refuseUnsound(problems: string[]): void {
  if (problems.length === 0) return
  throw new UserError(`the definitions are not valid:\n  ${problems.join('\n  ')}`)
}

function byId<T extends { id: string }>(definitions: T[]): T[] {
  return definitions.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

function repeated(kind: string, modules: Module[]): string[] {
  const fileOf = new Map<string, string>()
  return modules.flatMap(({ file, definition }) => {
    const id = isPlain(definition) ? definition['id'] : undefined
    if (typeof id !== 'string') return []
    const first = fileOf.get(id)
    fileOf.set(id, file)
    if (first === undefined) return []
    return [`${file}: ${kind} ${String(id)} is also defined in ${first}; use another id`]
  })
}

/** Returns a version of a definition. The order of members matters: tracks run in their order. */
export function releaseOf(kind: string, id: string, version: number, definition: unknown): Release {
  const content = JSON.stringify(definition)
  const hash = createHash('sha256').update(content).digest('hex')
  return { kind, id, version, hash, content }
}

/** Version of a definition. `id` is that of the journey, funnel or cohort. */
export type VersionName = { kind: string; id: string; version: number }
