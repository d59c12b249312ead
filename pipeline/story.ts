/**
 * The story of one profile, as it is believed now or was at an instant: who it is and since which
 * event, its sessions, what every event did in every journey and why, what is pending, and what
 * was corrected afterwards. The journeys are folded again, by the fold, from the stored events.
 */

import { valueAt } from './value-at.ts'
import { compile, type Compiled } from './compile.ts'
import type { Definitions } from './definitions.ts'
import { Events } from './events.ts'
import { Facts, START, TIMEOUT, type Instance } from './facts.ts'
import { deadlineOf, freshProfile, keyText } from './fold.ts'
import type { Json } from './journey.ts'
import type { Machine } from './machine.ts'
import { believed, definitionsOnRecord, recordedBy } from './on-record.ts'
import { correctionsOf, type Correction } from './story-corrections.ts'
import { identifiersOf, type KnownIdentifier } from './story-identifiers.ts'
import { TellingFold, type Choice, type Tried } from './telling-fold.ts'
import type { Row, Warehouse } from './warehouse.ts'

/** What happened in a journey at an event or a deadline. Instants are microseconds throughout. */
export type Outcome = {
  journey: string
  instanceId: string
  kind: 'started' | 'moved' | 'refused' | 'ignored' | 'timeout' | 'spent'
  track: string
  at: number
  from: string | null
  to: string | null
  tried: Tried[]
}

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

export type Story = {
  profileId: string
  watermark: number | null
  identifiers: KnownIdentifier[]
  sessions: Row[]
  steps: Step[]
  /** Timeouts after the last event, up to the watermark. */
  since: Outcome[]
  pending: Pending[]
  corrections: Correction[]
}

export type Question = {
  warehouse: Warehouse
  profileId: string
  /** Microseconds; null: now. */
  asOf: number | null
  /** Only this journey; null: all. */
  journey: string | null
}

/** Tells it. Memory is bounded by the profile's events. */
export async function tellStory(question: Question): Promise<Story> {
  const { warehouse, profileId, asOf, journey } = question
  const definitions = await definitionsOnRecord(warehouse, asOf)
  const compiled = compile(definitions)
  const rows = await eventsOf(question)
  const [head] = await warehouse.query(
    `select max(watermark) as watermark from batches where ${recordedBy(asOf)}`,
  )
  const watermark = (head?.['watermark'] ?? null) as number | null
  const sessions = await warehouse.query(
    `select session_id, session_no, stream, started_at, ended_at, event_count, source,
       started_because
     from ${believed('sessions', asOf)} where profile_id = $1 order by session_no`,
    [profileId],
  )
  const told = foldAgain(definitions, compiled, profileId, rows, watermark)
  const isAsked = (one: { journey: string }) => journey === null || one.journey === journey
  return {
    profileId,
    watermark,
    identifiers: await identifiersOf(question, definitions.identity, rows),
    sessions,
    steps: told.steps.map((step) => ({ ...step, outcomes: step.outcomes.filter(isAsked) })),
    since: told.since.filter(isAsked),
    pending: told.pending.filter(isAsked),
    corrections: await correctionsOf(question),
  }
}

/** The profile's events in event order. */
async function eventsOf({ warehouse, profileId, asOf }: Question): Promise<Row[]> {
  return warehouse.query(
    `select events.event_id, name, occurred_at, ordinal, source, session_id, identifiers,
       properties, context, alias
     from events inner join ${believed('event_profiles', asOf)} as whose
       on whose.event_id = events.event_id
     where whose.profile_id = $1 order by occurred_at, ordinal, events.event_id`,
    [profileId],
  )
}

/** Event by event, after the timeouts due by then, so that what is found belongs to the event. */
function foldAgain(
  definitions: Definitions,
  compiled: Compiled,
  profileId: string,
  rows: Row[],
  watermark: number | null,
): Pick<Story, 'steps' | 'since' | 'pending'> {
  const { events, codes } = workingSet(compiled, rows)
  const facts = new Facts()
  const fold = new TellingFold({ definitions, compiled, events, codes, facts })
  const profile = freshProfile(compiled.machines)
  const reader = new OutcomeReader(facts)
  const steps = rows.map((row, i): Step => {
    const at = events.occurredAt[i] as number
    fold.run(profileId, profile, [], at)
    fold.run(profileId, profile, [i], null)
    const choices = fold.takeChoices()
    const outcomes = reader.read(choices, at)
    compiled.machines.forEach((machine, m) => {
      const code = codes[i] as number
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
  const instances = profile.instances.flatMap((all) => [...all.values()])
  return { steps, since, pending: instances.flatMap(pendingOf) }
}

function workingSet(compiled: Compiled, rows: Row[]): { events: Events; codes: number[] } {
  const events = new Events(0, compiled.operandPaths.length)
  for (const row of rows) {
    events.eventId.push(row['event_id'] as string)
    events.name.push(row['name'] as string)
    events.occurredAt.push(row['occurred_at'] as number)
    events.ordinal.push(row['ordinal'] as number)
    events.source.push(row['source'] as string)
    const event = {
      properties: JSON.parse(row['properties'] as string) as Json,
      context: JSON.parse(row['context'] as string) as Json,
    }
    compiled.operandPaths.forEach((path, o) => events.operands[o]?.push(valueAt(event, path)))
  }
  return { events, codes: events.name.map((name) => compiled.eventCodes.get(name) ?? -1) }
}

const isOfEvent = ({ journey, kind }: Outcome, machine: Machine) =>
  journey === machine.id && kind !== 'timeout' && kind !== 'spent'

const ofInstance = ({ id, machine }: Instance, at: number) => ({
  journey: machine.id,
  instanceId: id,
  track: '',
  at,
  from: null,
  to: null,
  tried: [],
})

/** Facts and choices since the last reading, as outcomes. */
class OutcomeReader {
  readonly #facts: Facts
  #transitions = 0
  #rejections = 0

  constructor(facts: Facts) {
    this.#facts = facts
  }

  /** `at` is the instant of the event at hand. */
  read(choices: Choice[], at: number): Outcome[] {
    const outcomes: Outcome[] = []
    const { transitions, rejections } = this.#facts
    const taken = choices.filter(({ isTaken }) => isTaken)
    for (; this.#transitions < transitions.count; this.#transitions += 1) {
      const n = this.#transitions
      const instance = transitions.instance[n] as Instance
      const track = instance.machine.tracks[transitions.track[n] as number]
      const cause = transitions.cause[n] as number
      outcomes.push({
        ...ofInstance(instance, transitions.at[n] as number),
        kind: cause === START ? 'started' : cause === TIMEOUT ? 'timeout' : 'moved',
        track: track?.name ?? '',
        from: track?.states[transitions.from[n] as number] ?? null,
        to: track?.states[transitions.to[n] as number] ?? null,
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

/** What the tracks of a machine tried at the event, and did not take. */
function failedIn(choices: Choice[], machine: Machine): Tried[] {
  const failed = choices.filter((choice) => !choice.isTaken && !choice.isTimeout)
  return failed.flatMap((choice) => (choice.machine === machine ? choice.tried : []))
}

const isOfTime = ({ kind }: Outcome) => kind === 'timeout' || kind === 'spent'

/** The configuration, tracks joined by `|` as `rejections` does. */
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
