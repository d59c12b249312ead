/**
 * Checks event and property names in definitions against `events.ts`. A misspelt name is valid in
 * itself but would match nothing.
 */

import type { Cohort, CohortCondition } from '../cohort.ts'
import { knownNames, listOf } from '../compile.ts'
import { lookUpPath, merged, type PathLookup } from '../event-schema.ts'
import type { EventDefinitions } from '../events.ts'
import type { EventFunnel } from '../funnel.ts'
import type { Guard } from '../guard-syntax.ts'
import { tracksOf, type Candidates, type Journey, type State, type Track } from '../journey.ts'
import { nearestName } from './near-name.ts'
import type { Sessions } from '../settings.ts'

/** Definitions with the names of their files. They have passed their own checks. */
export type NamedDefinitions = {
  sessions: { file: string; definition: Partial<Sessions> }
  journeys: { file: string; definition: Journey }[]
  funnels: { file: string; definition: EventFunnel }[]
  cohorts: { file: string; definition: Cohort }[]
}

/** Errors end the program; warnings are printed. */
export type NameFindings = { errors: string[]; warnings: string[] }

/**
 * Compares names with those of `events.ts`. An unknown name is an error if it resembles a known one
 * or `unknown` is `refuse`, otherwise a warning. Returns nothing if `events.ts` declares no event.
 */
export function checkNames(
  definitions: NamedDefinitions,
  { events, unknown }: EventDefinitions,
): NameFindings {
  const checker = new NameChecker(events, unknown ?? 'accept')
  if (Object.keys(events).length === 0) return checker.findings
  checker.sessions(definitions.sessions.file, definitions.sessions.definition)
  for (const { file, definition } of definitions.journeys) checker.journey(file, definition)
  for (const { file, definition } of definitions.funnels) checker.funnel(file, definition)
  for (const { file, definition } of definitions.cohorts) {
    const journeys = definitions.journeys.map((journey) => journey.definition)
    checker.cohort(file, definition, journeys)
  }
  const { errors, warnings } = checker.findings
  return { errors: [...new Set(errors)], warnings: [...new Set(warnings)] }
}

class NameChecker {
  readonly findings: NameFindings = { errors: [], warnings: [] }
  readonly #events: EventDefinitions['events']
  readonly #names: string[]
  readonly #unknown: 'accept' | 'refuse'

  constructor(events: EventDefinitions['events'], unknown: 'accept' | 'refuse') {
    this.#events = events
    this.#names = Object.keys(events)
    this.#unknown = unknown
  }

  sessions(file: string, { splitOn }: Partial<Sessions>): void {
    for (const path of splitOn ?? []) this.#path(`${file}: splitOn`, path, this.#names)
  }

  journey(file: string, journey: Journey): void {
    const names = [...knownNames(journey)]
    this.#list(`${file}: startOn`, journey.startOn)
    if (journey.type === 'parallel') this.#list(`${file}: ignore`, journey.ignore)
    if (journey.key !== undefined) {
      this.#path(`${file}: key`, `properties.${journey.key.property}`, names)
    }
    for (const [name, track] of tracksOf(journey)) {
      const at = journey.type === 'parallel' ? `${file}: track ${name}, ` : `${file}: `
      this.#holder(`${at}root`, track)
      for (const [state, definition] of Object.entries(track.states)) {
        this.#holder(`${at}state ${state}`, definition)
      }
    }
  }

  funnel(file: string, { steps, exclude, holdConstant }: EventFunnel): void {
    const parts = steps.map((step) => (typeof step === 'string' ? { event: step } : step))
    const check = (where: string, part: { event: string; where?: Guard }) => {
      this.#event(where, part.event)
      this.#guard(where, part.where, [part.event])
    }
    parts.forEach((step, i) => check(`${file}: step ${i + 1}`, step))
    exclude?.forEach((exclusion, i) => check(`${file}: exclude ${i + 1}`, exclusion))
    for (const path of holdConstant ?? []) {
      for (const { event } of parts) this.#path(`${file}: holdConstant`, path, [event])
    }
  }

  cohort(file: string, { who }: Cohort, journeys: readonly Journey[]): void {
    const check = (where: string, condition: CohortCondition): void => {
      if ('all' in condition) condition.all.forEach((part, i) => check(`${where}.all[${i}]`, part))
      else if ('any' in condition) {
        condition.any.forEach((part, i) => check(`${where}.any[${i}]`, part))
      } else if ('not' in condition) check(`${where}.not`, condition.not)
      else {
        const journey = journeys.find(({ id }) => id === condition.journey)
        this.#guard(where, condition.where, journey === undefined ? [] : [...knownNames(journey)])
      }
    }
    check(`${file}: who`, who)
  }

  /** Checks the root of a track, or a state. */
  #holder(where: string, holder: Track | State): void {
    this.#list(`${where}: ignore`, holder.ignore)
    for (const [event, candidates] of Object.entries(holder.on ?? {})) {
      this.#event(`${where}: on`, event)
      this.#candidates(`${where}, on '${event}'`, candidates, [event])
    }
    if (!('after' in holder)) return
    for (const [delay, candidates] of Object.entries(holder.after ?? {})) {
      this.#candidates(`${where}, after '${delay}'`, candidates, [])
    }
  }

  #candidates(where: string, candidates: Candidates, events: string[]): void {
    for (const { guard } of listOf(candidates)) this.#guard(where, guard, events)
  }

  /** Checks a guard. `events` are the names of events that it can be evaluated for. */
  #guard(where: string, guard: Guard | undefined, events: readonly string[]): void {
    if (guard === undefined) return
    if ('all' in guard) for (const part of guard.all) this.#guard(where, part, events)
    else if ('any' in guard) for (const part of guard.any) this.#guard(where, part, events)
    else if ('not' in guard) this.#guard(where, guard.not, events)
    else if ('count' in guard) this.#event(`${where}: guard on count`, guard.count)
    else if ('property' in guard) {
      this.#path(`${where}: guard`, `properties.${guard.property}`, events)
    } else if ('field' in guard && guard.field === 'name') {
      for (const name of [guard.eq, guard.ne, guard.in].flat()) {
        if (typeof name === 'string') this.#event(`${where}: guard on name`, name)
      }
    }
  }

  #list(where: string, names: readonly string[] | undefined): void {
    for (const name of names ?? []) this.#event(where, name)
  }

  #event(where: string, name: string): void {
    if (Object.hasOwn(this.#events, name)) return
    const what = `${where}: event '${name}' is not in events.ts`
    this.#report(what, name, this.#names, `if it is another event, add '${name}': null there`)
  }

  /** Reports a path that no schema of the events has. Only properties have schemas. */
  #path(where: string, path: string, events: readonly string[]): void {
    if (!path.startsWith('properties.')) return
    const property = path.slice('properties.'.length)
    const schemas = events.flatMap((name) => this.#events[name] ?? [])
    if (schemas.length === 0) return
    const found = merged(schemas.map((schema) => lookUpPath(schema, property)))
    if (found.is === 'known') return
    const hasOthers = events.some((name) => (this.#events[name] ?? null) === null)
    const only = events.length === 1 ? `of '${events[0]}' ` : ''
    const what = `${where}: property '${property}' is not in the schema ${only}in events.ts`
    const is: PathLookup['is'] = hasOthers ? 'open' : found.is
    this.#report(what, property, found.names, 'if it is another property, add it there', is)
  }

  #report(
    what: string,
    name: string,
    known: readonly string[],
    otherwise: string,
    is: PathLookup['is'] = 'unlisted',
  ): void {
    const nearest = nearestName(name, known)
    const isError = is === 'refused' || (is === 'unlisted' && this.#unknown === 'refuse')
    if (is === 'open' && nearest?.isSlip !== true) return
    const fix = nearest === null ? '' : `did you mean '${nearest.name}'? `
    const list = isError || nearest?.isSlip === true ? this.findings.errors : this.findings.warnings
    list.push(`${what}; ${fix}${otherwise}`)
  }
}
