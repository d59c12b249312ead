/**
 * Converts journey facts to rows of `transitions`, `states`, `cycles` and `rejections`. Numbers are
 * resolved to codes of names, and ids are hashed from their parts.
 */

import { Hashes } from '../../base/hashes.ts'
import { NO_TEXT } from '../../base/texts.ts'
import type { Events } from '../../stages/events.ts'
import type { Ints } from '../../stages/growable-array.ts'
import type { Instance } from '../../stages/instance.ts'
import { CAUSES, type Facts } from '../../stages/journey-facts.ts'
import { effectsOf, type DueEffect } from './due-effects.ts'
import { eventIdOf, JourneyCodes, type InstanceCodes, type TrackCodes } from './journey-keys.ts'
import { Rows, type RowColumns } from './rows.ts'

export type Tabulated = {
  transition: Rows<'transition'>
  state: Rows<'state'>
  cycle: Rows<'cycle'>
  rejection: Rows<'rejection'>
  effects: DueEffect[]
  /** Keys of stays that an earlier fold opened and this one ended. */
  endedStays: Hashes
}

/** `sessionOf` has the code of the session of each event. */
export function tabulate(facts: Facts, events: Events, sessionOf: Ints): Tabulated {
  const codes = new JourneyCodes(events.texts)
  const transition = transitionRows(facts, events, codes, sessionOf)
  const state = new Rows('state', events.texts, facts.transitions.count)
  addStays(facts, transition.keys, codes, state)
  const endedStays = addEndedStays(facts, transition.keys, codes, state)
  return {
    transition,
    state,
    cycle: cycleRows(facts, events, transition.keys, codes),
    rejection: rejectionRows(facts, events, codes, sessionOf),
    effects: effectsOf(facts, events, transition.keys),
    endedStays,
  }
}

function transitionRows(
  facts: Facts,
  events: Events,
  codes: JourneyCodes,
  sessionOf: Ints,
): Rows<'transition'> {
  const { transitions: t } = facts
  const { texts } = events
  const rows = new Rows('transition', texts, t.count)
  const { keys, columns: c } = rows
  const causes = CAUSES.map((cause) => texts.code(cause))
  for (let fact = 0; fact < t.count; fact++) {
    const instance = t.instance[fact] as Instance
    const of = codes.of(instance)
    const trackNumber = t.track.at(fact)
    const track = of.machine.tracks[trackNumber] as TrackCodes
    const cause = t.cause.at(fact)
    const row = t.row.at(fact)
    const from = t.from.at(fact)
    const at = t.at.at(fact)
    codes.pushKey(keys, instance, trackNumber, cause, eventIdOf(facts, events, fact), at)
    pushInstance(c, instance, of)
    c.track.push(track.name)
    c.seq.push(t.seq.at(fact))
    c.cause.push(causes[cause] as number)
    c.from_state.push(from < 0 ? NO_TEXT : (track.states[from] as number))
    c.to_state.push(track.states[t.to.at(fact)] as number)
    c.event_id.push(row < 0 ? NO_TEXT : events.eventId.at(row))
    c.event_name.push(row < 0 ? NO_TEXT : events.name.at(row))
    c.source.push(row < 0 ? NO_TEXT : events.source.at(row))
    c.session_id.push(row < 0 ? NO_TEXT : sessionOf.at(row))
    c.occurred_at.push(at)
    c.dwell_ms.push(from < 0 ? NaN : wholeMs(t.dwell.at(fact)))
    c.visit.push(t.visit.at(fact))
  }
  return rows
}

/** Adds the columns by which rows belong to an instance and views number instances. */
function pushInstance(
  c: RowColumns<'transition'> | RowColumns<'state'>,
  { startedAt, startOrdinal }: Instance,
  of: InstanceCodes,
): void {
  c.journey.push(of.machine.id)
  c.version.push(of.machine.version)
  c.instance_id.push(of.id)
  c.profile_id.push(of.profile)
  c.instance_group.pushHalves(of.groupLow, of.groupHigh)
  c.instance_started_at.push(startedAt)
  c.instance_start_ordinal.push(startOrdinal)
  c.instance_start_event_id.push(of.startEvent)
}

function addStays(facts: Facts, keys: Hashes, codes: JourneyCodes, rows: Rows<'state'>): void {
  const { transitions: t } = facts
  for (let fact = 0; fact < t.count; fact++) {
    rows.keys.pushFrom(keys, fact)
    const instance = t.instance[fact] as Instance
    const { columns: c } = rows
    pushInstance(c, instance, codes.of(instance))
    c.visit.push(t.visit.at(fact))
    c.entered_at.push(t.at.at(fact))
    pushState(c, codes.of(instance), t.track.at(fact), t.to.at(fact))
    pushExit(c, facts, keys, t.exit.at(fact))
  }
}

/** Returns the keys of the stays. */
function addEndedStays(
  facts: Facts,
  keys: Hashes,
  codes: JourneyCodes,
  rows: Rows<'state'>,
): Hashes {
  const { endedStays: s } = facts
  const ended = new Hashes()
  for (let i = 0; i < s.instance.length; i++) {
    const instance = s.instance[i] as Instance
    const track = s.track.at(i)
    const enteredAt = s.enteredAt.at(i)
    codes.pushKey(ended, instance, track, s.cause.at(i), s.eventId[i] ?? null, enteredAt)
    rows.keys.pushFrom(ended, i)
    const { columns: c } = rows
    pushInstance(c, instance, codes.of(instance))
    c.visit.push(s.visit.at(i))
    c.entered_at.push(enteredAt)
    pushState(c, codes.of(instance), track, s.state.at(i))
    pushExit(c, facts, keys, s.exit.at(i))
  }
  return ended
}

function pushState(
  c: RowColumns<'state'>,
  { machine }: InstanceCodes,
  trackNumber: number,
  state: number,
): void {
  const track = machine.tracks[trackNumber] as TrackCodes
  c.track.push(track.name)
  c.state.push(track.states[state] as number)
  c.is_final.push(track.isFinal[state] === true ? 1 : 0)
}

/** Adds when and by which transition a stay ended; -1 for an open one. */
function pushExit(c: RowColumns<'state'>, facts: Facts, keys: Hashes, exit: number): void {
  c.exited_at.push(exit < 0 ? NaN : facts.transitions.at.at(exit))
  if (exit < 0) c.exited_by.pushNull()
  else c.exited_by.pushFrom(keys, exit)
}

function cycleRows(facts: Facts, events: Events, keys: Hashes, codes: JourneyCodes): Rows<'cycle'> {
  const { cycles, transitions: t } = facts
  const rows = new Rows('cycle', events.texts, cycles.closedBy.length)
  const { columns: c } = rows
  for (let i = 0; i < cycles.closedBy.length; i++) {
    const fact = cycles.closedBy.at(i)
    const instance = t.instance[fact] as Instance
    const { machine, id, profile } = codes.of(instance)
    const trackNumber = t.track.at(fact)
    const track = machine.tracks[trackNumber] as TrackCodes
    const pathFrom = i === 0 ? 0 : cycles.statesEnd.at(i - 1)
    const pathEnd = cycles.statesEnd.at(i)
    const startedAt = cycles.startedAt.at(i)
    const endedAt = t.at.at(fact)
    const by = eventIdOf(facts, events, fact) ?? String(endedAt)
    codes.pushCycleKey(rows.keys, instance, trackNumber, t.cause.at(fact), by)
    c.journey.push(machine.id)
    c.version.push(machine.version)
    c.instance_id.push(id)
    c.profile_id.push(profile)
    c.track.push(track.name)
    c.cycle_no.push(cycles.number.at(i))
    c.anchor.push(track.states[cycles.states.at(pathFrom)] as number)
    c.path.push(track.paths.codeOf(cycles.states, pathFrom, pathEnd))
    c.length.push(pathEnd - pathFrom - 1)
    c.started_at.push(startedAt)
    c.ended_at.push(endedAt)
    c.duration_ms.push(wholeMs(endedAt - startedAt))
    c.closed_by.pushFrom(keys, fact)
  }
  return rows
}

function rejectionRows(
  facts: Facts,
  events: Events,
  codes: JourneyCodes,
  sessionOf: Ints,
): Rows<'rejection'> {
  const { rejections: r } = facts
  const { texts } = events
  const rows = new Rows('rejection', texts, r.row.length)
  const { columns: c } = rows
  const guardFailed = texts.code('guard_failed')
  const notAccepted = texts.code('not_accepted')
  let next = 0
  for (let i = 0; i < r.row.length; i++) {
    const instance = r.instance[i] as Instance
    const { machine, id, profile, prefix } = codes.of(instance)
    const row = r.row.at(i)
    const states = instance.machine.tracks.map((track) => track.states[r.states.at(next++)])
    rows.keys.pushEnd(prefix, `/${events.eventIdOf(row)}`)
    c.event_id.push(events.eventId.at(row))
    c.event_name.push(events.name.at(row))
    c.journey.push(machine.id)
    c.version.push(machine.version)
    c.instance_id.push(id)
    c.profile_id.push(profile)
    c.state.push(texts.code(states.join('|')))
    c.reason.push(r.hadCandidate.at(i) === 1 ? guardFailed : notAccepted)
    c.occurred_at.push(events.occurredAt.at(row))
    c.session_id.push(sessionOf.at(row))
  }
  return rows
}

/** Returns whole milliseconds, rounded down. */
function wholeMs(micros: number): number {
  return Math.floor(micros / 1_000)
}
