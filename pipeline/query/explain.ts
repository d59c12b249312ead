/**
 * Explanation of one profile, now or as of an instant: its identifiers and the events that linked
 * them, its sessions, the effect of every event in every journey with the reason, pending
 * deadlines, and later corrections. Folds the journeys again from the stored events.
 */

import { valueAt, type Json } from '../base/json.ts'
import { compile, type Compiled } from '../definition/compile.ts'
import type { Definitions } from '../definition/load.ts'
import { Texts } from '../base/texts.ts'
import { Events } from '../stages/events.ts'
import { Facts, START, TIMEOUT } from '../stages/journey-facts.ts'
import { deadlineOf, freshProfile, keyText, type Instance } from '../stages/instance.ts'
import type { Machine } from '../definition/machine.ts'
import { definitionsOnRecord, recordedBy } from './as-of.ts'
import { isOfTime, type Outcome } from './explain-outcome.ts'
import { correctionsOf, type Correction } from './explain-corrections.ts'
import { identifiersOf, type KnownIdentifier } from './explain-identifiers.ts'
import { believedOf, versionsOf, type Versions } from './profile-versions.ts'
import { TracingFold, type Choice, type Tried } from '../stages/trace-fold.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

/** Instants are microseconds throughout. */
export type Step = {
  eventId: string
  name: string
  occurredAt: number
  source: string
  sessionId: string
  outcomes: Outcome[]
}

export type Pending = {
  journey: string
  instanceId: string
  track: string
  state: string
  dueAt: number
}

export type Session = {
  sessionId: string
  /** 1-based position among the profile's sessions, in event order. */
  sessionNo: number
  stream: string
  startedAt: number
  endedAt: number
  eventCount: number
  source: string
  startedBecause: string
}

export type Explanation = {
  profileId: string
  watermark: number | null
  identifiers: KnownIdentifier[]
  sessions: Session[]
  steps: Step[]
  /** Timeouts between the last event and the watermark. */
  since: Outcome[]
  pending: Pending[]
}

export type ProfileExplanation = Explanation & { corrections: Correction[] }

export type Question = {
  warehouse: Warehouse
  profileId: string
  /** Microseconds; null means now. */
  asOf: number | null
  /** Only this journey; null means all. */
  journey: string | null
}

/** Explains a profile. Memory is bounded by the profile's events. */
export async function explainProfile(question: Question): Promise<ProfileExplanation> {
  const { warehouse, profileId, asOf } = question
  const versions = await versionsOf(warehouse, [profileId])
  const definitions = await definitionsOnRecord(warehouse, asOf)
  const [head] = await warehouse.query(
    `select max(watermark) as watermark from batches where ${recordedBy(asOf)}`,
  )
  const watermark = (head?.['watermark'] ?? null) as number | null
  const explanation = explainVersions(versions, { ...question, definitions, watermark })
  return { ...explanation, corrections: await correctionsOf({ warehouse, profileId, asOf }) }
}

/** Explains a profile from versions that were read, without corrections. `watermark` and
 * `definitions` are those of the instant. */
export function explainVersions(
  versions: Versions,
  asked: Omit<Question, 'warehouse'> & { definitions: Definitions; watermark: number | null },
): Explanation {
  const { profileId, journey, definitions, watermark } = asked
  const rows = believedOf(versions.events, asked)
  const folded = foldAgain(definitions, compile(definitions), profileId, rows, watermark)
  const isAsked = (one: { journey: string }) => journey === null || one.journey === journey
  const identities = believedOf(versions.identities, asked)
  return {
    profileId,
    watermark,
    identifiers: identifiersOf(identities, definitions.identity, rows),
    sessions: sessionsOf(believedOf(versions.sessions, asked), rows),
    steps: folded.steps.map((step) => ({ ...step, outcomes: step.outcomes.filter(isAsked) })),
    since: folded.since.filter(isAsked),
    pending: folded.pending.filter(isAsked),
  }
}

/** Returns the sessions in the order of their first events. */
function sessionsOf(sessions: Row[], events: Row[]): Session[] {
  const known = new Map(sessions.map((session) => [session['session_id'] as string, session]))
  const ids = [...new Set(events.map((event) => event['session_id'] as string))]
  return ids.flatMap((sessionId, i) => {
    const row = known.get(sessionId)
    if (row === undefined) return []
    return [
      {
        sessionId,
        sessionNo: i + 1,
        stream: row['stream'] as string,
        startedAt: row['started_at'] as number,
        endedAt: row['ended_at'] as number,
        eventCount: row['event_count'] as number,
        source: row['source'] as string,
        startedBecause: row['started_because'] as string,
      },
    ]
  })
}

/** Folds event by event. Timeouts due before an event are folded first, so each outcome is
 * attributed to its cause. */
function foldAgain(
  definitions: Definitions,
  compiled: Compiled,
  profileId: string,
  rows: Row[],
  watermark: number | null,
): Pick<ProfileExplanation, 'steps' | 'since' | 'pending'> {
  const events = workingSet(compiled, rows)
  const facts = new Facts()
  const fold = new TracingFold({ definitions, compiled, events, facts })
  const profile = freshProfile(compiled.machines)
  const reader = new OutcomeReader(facts)
  const steps = rows.map((row, i): Step => {
    const at = events.occurredAt.at(i)
    fold.run(profileId, profile, [], at)
    fold.run(profileId, profile, [i], null)
    const choices = fold.takeChoices()
    const outcomes = reader.read(choices, at)
    compiled.machines.forEach((machine, m) => {
      const code = events.code.at(i)
      if (machine.isKnown[code] !== true || outcomes.some((one) => isOfEvent(one, machine))) return
      const operand = events.operands[machine.keyOperand]?.[i]
      const key = machine.keyOperand < 0 ? null : keyText(operand)
      const instance = profile.instances[m]?.get(key)
      if (instance === undefined || instance.isComplete) return
      const tried = failedIn(choices, machine)
      outcomes.push({ ...ofInstance(instance, at), kind: 'ignored', tried })
    })
    return {
      eventId: row['event_id'] as string,
      name: row['name'] as string,
      occurredAt: row['occurred_at'] as number,
      source: row['source'] as string,
      sessionId: row['session_id'] as string,
      outcomes,
    }
  })
  fold.run(profileId, profile, [], watermark)
  const since = reader.read(fold.takeChoices(), Infinity)
  const instances = profile.instances.flatMap(({ all }) => all)
  return { steps, since, pending: instances.flatMap(pendingOf) }
}

function workingSet({ eventCodes, operandPaths }: Compiled, rows: Row[]): Events {
  const shape = { namespaces: 0, operands: operandPaths.length }
  const events = new Events({ texts: new Texts(), eventCodes, ...shape })
  for (const row of rows) {
    const [name, source] = [row['name'] as string, row['source'] as string]
    const event = {
      name,
      source,
      properties: JSON.parse(row['properties'] as string) as Json,
      context: JSON.parse(row['context'] as string) as Json,
    }
    events.add({
      eventId: row['event_id'] as string,
      name,
      source,
      occurredAt: row['occurred_at'] as number,
      ordinal: row['ordinal'] as number,
      operands: operandPaths.map((path) => valueAt(event, path)),
    })
  }
  return events
}

const isOfEvent = (outcome: Outcome, machine: Machine) =>
  outcome.journey === machine.id && !isOfTime(outcome)

const ofInstance = ({ id, machine }: Instance, at: number) => ({
  journey: machine.id,
  instanceId: id,
  track: '',
  at,
  from: null,
  to: null,
  tried: [],
})

/** Converts new facts and choices into outcomes. */
class OutcomeReader {
  readonly #facts: Facts
  #transitions = 0
  #rejections = 0

  constructor(facts: Facts) {
    this.#facts = facts
  }

  /** Reads what was added since the last call. `at` is the time of the current event. */
  read(choices: Choice[], at: number): Outcome[] {
    const outcomes: Outcome[] = []
    const { transitions, rejections } = this.#facts
    const taken = choices.filter(({ isTaken }) => isTaken)
    for (; this.#transitions < transitions.count; this.#transitions += 1) {
      const n = this.#transitions
      const instance = transitions.instance[n] as Instance
      const track = instance.machine.tracks[transitions.track.at(n)]
      const cause = transitions.cause.at(n)
      outcomes.push({
        ...ofInstance(instance, transitions.at.at(n)),
        kind: cause === START ? 'started' : cause === TIMEOUT ? 'timeout' : 'moved',
        track: track?.name ?? '',
        from: track?.states[transitions.from.at(n)] ?? null,
        to: track?.states[transitions.to.at(n)] ?? null,
        tried: cause === START ? [] : (taken.shift()?.tried ?? []),
      })
    }
    for (; this.#rejections < rejections.row.length; this.#rejections += 1) {
      const instance = rejections.instance[this.#rejections] as Instance
      outcomes.push({
        ...ofInstance(instance, at),
        kind: 'refused',
        from: standing(instance),
        tried: failedIn(choices, instance.machine),
      })
    }
    for (const { machine, track, at: dueAt, tried, isTaken, isTimeout } of choices) {
      if (isTaken || !isTimeout) continue
      const spent = { journey: machine.id, instanceId: '', track, from: null, to: null, tried }
      outcomes.push({ ...spent, kind: 'spent', at: dueAt })
    }
    return outcomes.sort((a, b) => Number(isOfTime(b)) - Number(isOfTime(a)))
  }
}

/** Returns the guards that failed for the event, over all tracks of a machine. */
function failedIn(choices: Choice[], machine: Machine): Tried[] {
  const failed = choices.filter((choice) => !choice.isTaken && !choice.isTimeout)
  return failed.flatMap((choice) => (choice.machine === machine ? choice.tried : []))
}

/** Returns the states of all tracks, joined by `|` as in `rejections`. */
function standing({ machine, tracks }: Instance): string {
  return tracks.map(({ state }, t) => machine.tracks[t]?.states[state] ?? '').join('|')
}

function pendingOf({ id, machine, tracks }: Instance): Pending[] {
  return tracks.flatMap((track, t) => {
    const compiled = machine.tracks[t]
    const dueAt = deadlineOf(compiled, track)
    if (compiled === undefined || dueAt === Infinity) return []
    const state = compiled.states[track.state] as string
    return [{ journey: machine.id, instanceId: id, track: compiled.name, state, dueAt }]
  })
}
