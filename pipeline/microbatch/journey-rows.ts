/**
 * Converts journey facts to rows of `transitions`, `states`, `cycles` and `rejections`, and to
 * effects. Numbers are resolved to names, and ids to the texts that are hashed.
 */

import type { Events } from '../stages/events.ts'
import type { Ints } from '../stages/growable-array.ts'
import { CAUSES, type Facts } from '../stages/journey-facts.ts'
import { encodePart } from '../base/hash.ts'
import type { Instance } from '../stages/instance.ts'
import { parseDuration } from '../definition/duration.ts'
import type { CompiledTrack, Machine } from '../definition/machine.ts'
import { Rows } from './changelog.ts'
import { eventIdOf, InstanceNames } from './journey-keys.ts'

/** Effect of a current transition. `withinUs` in microseconds; null means unlimited. */
export type DueEffect = {
  /** Text that is hashed to `effect_id`: cause and content. Profile and instance are left out, so
   * that merging people publishes nothing twice. */
  key: string
  transition: string
  type: string
  payload: string
  machine: Machine
  instanceId: string
  profileId: string
  occurredAt: number
  withinUs: number | null
}

export type Tabulated = {
  transition: Rows
  state: Rows
  cycle: Rows
  rejection: Rows
  effects: DueEffect[]
  /** Keys of stays that an earlier fold opened and this one ended. */
  endedStays: string[]
}

/** `sessionOf` has the code of the session of each event. */
export function tabulate(facts: Facts, events: Events, sessionOf: Ints): Tabulated {
  const { transitions } = facts
  const names = new InstanceNames()
  const keys = Array.from({ length: transitions.count }, (_, fact) =>
    names.transitionKey(
      transitions.instance[fact] as Instance,
      transitions.track.at(fact),
      transitions.cause.at(fact),
      eventIdOf(facts, events, fact),
      transitions.at.at(fact),
    ),
  )
  const state = new Rows('state')
  addStays(facts, keys, names, state)
  const endedStays = addEndedStays(facts, keys, names, state)
  return {
    transition: transitionRows(facts, events, keys, names, sessionOf),
    state,
    cycle: cycleRows(facts, keys),
    rejection: rejectionRows(facts, events, sessionOf),
    effects: effectsOf(facts, events, keys),
    endedStays,
  }
}

function transitionRows(
  facts: Facts,
  events: Events,
  keys: string[],
  names: InstanceNames,
  sessionOf: Ints,
): Rows {
  const { transitions: t } = facts
  const rows = new Rows('transition')
  for (let fact = 0; fact < keys.length; fact++) {
    const instance = t.instance[fact] as Instance
    const { machine, profileId } = instance
    const track = machine.tracks[t.track.at(fact)] as CompiledTrack
    const row = t.row.at(fact)
    const from = t.from.at(fact)
    const key = keys[fact] as string
    rows.add(key, [
      key,
      machine.id,
      machine.version,
      instance.id,
      profileId,
      track.name,
      t.seq.at(fact),
      CAUSES[t.cause.at(fact)] as string,
      from < 0 ? null : (track.states[from] as string),
      track.states[t.to.at(fact)] as string,
      row < 0 ? null : events.eventIdOf(row),
      row < 0 ? null : events.nameOf(row),
      row < 0 ? null : events.sourceOf(row),
      row < 0 ? null : events.texts.at(sessionOf.at(row)),
      t.at.at(fact),
      from < 0 ? null : wholeMs(t.dwell.at(fact)),
      t.visit.at(fact),
      names.groupKey(instance),
      instance.startedAt,
      instance.startOrdinal,
      instance.startEventId,
    ])
  }
  return rows
}

function addStays(facts: Facts, keys: string[], names: InstanceNames, rows: Rows): void {
  const { transitions: t } = facts
  for (let fact = 0; fact < keys.length; fact++) {
    addStay(rows, facts, keys, names, {
      key: keys[fact] as string,
      instance: t.instance[fact] as Instance,
      track: t.track.at(fact),
      state: t.to.at(fact),
      visit: t.visit.at(fact),
      enteredAt: t.at.at(fact),
      exit: t.exit.at(fact),
    })
  }
}

function addEndedStays(facts: Facts, keys: string[], names: InstanceNames, rows: Rows): string[] {
  const { endedStays: s } = facts
  return s.instance.map((instance, i) => {
    const track = s.track.at(i)
    const enteredAt = s.enteredAt.at(i)
    const cause = s.cause.at(i)
    const key = names.transitionKey(instance, track, cause, s.eventId[i] ?? null, enteredAt)
    addStay(rows, facts, keys, names, {
      key,
      instance,
      track,
      state: s.state.at(i),
      visit: s.visit.at(i),
      enteredAt,
      exit: s.exit.at(i),
    })
    return key
  })
}

type Stay = {
  key: string
  instance: Instance
  track: number
  state: number
  visit: number
  enteredAt: number
  exit: number
}

function addStay(rows: Rows, facts: Facts, keys: string[], names: InstanceNames, stay: Stay): void {
  const { instance, exit } = stay
  const { machine } = instance
  const track = machine.tracks[stay.track] as CompiledTrack
  rows.add(stay.key, [
    stay.key,
    machine.id,
    machine.version,
    instance.id,
    instance.profileId,
    track.name,
    track.states[stay.state] as string,
    stay.visit,
    stay.enteredAt,
    exit < 0 ? null : facts.transitions.at.at(exit),
    exit < 0 ? null : (keys[exit] as string),
    track.isFinal[stay.state] as boolean,
    names.groupKey(instance),
    instance.startedAt,
    instance.startOrdinal,
    instance.startEventId,
  ])
}

function cycleRows(facts: Facts, keys: string[]): Rows {
  const { cycles: c, transitions: t } = facts
  const rows = new Rows('cycle')
  for (let i = 0; i < c.closedBy.length; i++) {
    const fact = c.closedBy.at(i)
    const { id, machine, profileId } = t.instance[fact] as Instance
    const track = machine.tracks[t.track.at(fact)] as CompiledTrack
    const pathFrom = i === 0 ? 0 : c.statesEnd.at(i - 1)
    const path = Array.from(
      c.states.values.subarray(pathFrom, c.statesEnd.at(i)),
      (state) => track.states[state] as string,
    )
    const startedAt = c.startedAt.at(i)
    const endedAt = t.at.at(fact)
    const key = `${keys[fact]}/cycle`
    rows.add(key, [
      key,
      machine.id,
      machine.version,
      id,
      profileId,
      track.name,
      c.number.at(i),
      path[0] as string,
      path.join(' > '),
      path.length - 1,
      startedAt,
      endedAt,
      wholeMs(endedAt - startedAt),
      keys[fact] as string,
    ])
  }
  return rows
}

function rejectionRows(facts: Facts, events: Events, sessionOf: Ints): Rows {
  const { rejections: r } = facts
  const rows = new Rows('rejection')
  let next = 0
  for (let i = 0; i < r.row.length; i++) {
    const instance = r.instance[i] as Instance
    const { machine } = instance
    const row = r.row.at(i)
    const eventId = events.eventIdOf(row)
    const states = machine.tracks.map((track) => track.states[r.states.at(next++)])
    rows.add(`${machine.id}/${machine.version}/${instance.id}/${eventId}`, [
      eventId,
      events.nameOf(row),
      machine.id,
      machine.version,
      instance.id,
      instance.profileId,
      states.join('|'),
      r.hadCandidate.at(i) === 1 ? 'guard_failed' : 'not_accepted',
      events.occurredAt.at(row),
      events.texts.at(sessionOf.at(row)),
    ])
  }
  return rows
}

function effectsOf(facts: Facts, events: Events, keys: string[]): DueEffect[] {
  const { effects: e, transitions: t } = facts
  return e.effect.map((effect, i) => {
    const fact = e.transition.at(i)
    const instance = t.instance[fact] as Instance
    const { machine } = instance
    const track = (machine.tracks[t.track.at(fact)] as CompiledTrack).name
    const at = t.at.at(fact)
    const by = eventIdOf(facts, events, fact) ?? `${at}@${instance.startEventId}`
    const part = instance.key === null ? '' : encodePart(instance.key)
    const payload = JSON.stringify(effect)
    const cause = `${CAUSES[t.cause.at(fact)]}/${e.index.at(i)}/${by}/${payload}`
    return {
      key: `${machine.id}/${machine.version}/${part}/${track}/${cause}`,
      transition: keys[fact] as string,
      type: effect.type,
      payload,
      machine,
      instanceId: instance.id,
      profileId: instance.profileId,
      occurredAt: at,
      withinUs: parseDuration(effect.within),
    }
  })
}

/** Returns whole milliseconds, rounded down. */
function wholeMs(micros: number): number {
  return Math.floor(micros / 1_000)
}
