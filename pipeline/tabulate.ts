/**
 * Facts → rows of `transitions`, `states`, `cycles` and `rejections`, and the effects they carry.
 * This is where numbers become names and ids get the text they are the hash of.
 */

import type { Events } from './events.ts'
import { CAUSES, TIMEOUT, type Facts, type Instance } from './facts.ts'
import { encodePart } from './ids.ts'
import { parseDuration, type Effect } from './journey.ts'
import type { CompiledTrack, Machine } from './machine.ts'
import { Rows } from './rows.ts'

/** An effect of a transition that is believed. `withinUs` null is no limit. */
export type DueEffect = {
  /** What `effect_id` is the hash of: cause and content. It names no profile and no instance, so a
   * merge of people publishes nothing twice. */
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
  /** Stays an earlier fold opened and this one ended: the open version of these is over. */
  endedStays: string[]
}

/** `sessionOf[row]` is the session of an event. */
export function tabulate(facts: Facts, events: Events, sessionOf: readonly string[]): Tabulated {
  const { transitions } = facts
  const keys = Array.from({ length: transitions.count }, (_, fact) =>
    transitionKey(
      transitions.instance[fact] as Instance,
      transitions.track[fact] as number,
      transitions.cause[fact] as number,
      eventIdOf(facts, events, fact),
      transitions.at[fact] as number,
    ),
  )
  const state = new Rows('state')
  addStays(facts, keys, state)
  const endedStays = addEndedStays(facts, keys, state)
  return {
    transition: transitionRows(facts, events, keys, sessionOf),
    state,
    cycle: cycleRows(facts, keys),
    rejection: rejectionRows(facts, events, sessionOf),
    effects: effectsOf(facts, events, keys),
    endedStays,
  }
}

/** What a transition's id is the hash of; a stay's id is its entering transition's. */
function transitionKey(
  instance: Instance,
  track: number,
  cause: number,
  eventId: string | null,
  at: number,
): string {
  const { machine } = instance
  const name = (machine.tracks[track] as CompiledTrack).name
  const by = cause === TIMEOUT ? String(at) : (eventId as string)
  return `${machine.id}/${machine.version}/${instance.id}/${name}/${CAUSES[cause]}/${by}`
}

function eventIdOf(facts: Facts, events: Events, fact: number): string | null {
  const row = facts.transitions.row[fact] as number
  return row < 0 ? null : (events.eventId[row] as string)
}

/** What the views number instances by. */
function groupKey({ machine, profileId, key }: Instance): string {
  const part = key === null ? '' : `/${encodePart(key)}`
  return `${machine.id}/${machine.version}/${encodePart(profileId)}${part}`
}

function transitionRows(
  facts: Facts,
  events: Events,
  keys: string[],
  sessionOf: readonly string[],
): Rows {
  const { transitions: t } = facts
  const rows = new Rows('transition')
  for (let fact = 0; fact < keys.length; fact++) {
    const instance = t.instance[fact] as Instance
    const { machine, profileId } = instance
    const track = machine.tracks[t.track[fact] as number] as CompiledTrack
    const row = t.row[fact] as number
    const from = t.from[fact] as number
    const key = keys[fact] as string
    rows.add(key, [
      key,
      machine.id,
      machine.version,
      instance.id,
      profileId,
      track.name,
      t.seq[fact] as number,
      CAUSES[t.cause[fact] as number] as string,
      from < 0 ? null : (track.states[from] as string),
      track.states[t.to[fact] as number] as string,
      row < 0 ? null : (events.eventId[row] as string),
      row < 0 ? null : (events.name[row] as string),
      row < 0 ? null : (events.source[row] as string),
      row < 0 ? null : (sessionOf[row] as string),
      t.at[fact] as number,
      from < 0 ? null : wholeMs(t.dwell[fact] as number),
      t.visit[fact] as number,
      groupKey(instance),
      instance.startedAt,
      instance.startOrdinal,
      instance.startEventId,
    ])
  }
  return rows
}

function addStays(facts: Facts, keys: string[], rows: Rows): void {
  const { transitions: t } = facts
  for (let fact = 0; fact < keys.length; fact++) {
    addStay(rows, facts, keys, {
      key: keys[fact] as string,
      instance: t.instance[fact] as Instance,
      track: t.track[fact] as number,
      state: t.to[fact] as number,
      visit: t.visit[fact] as number,
      enteredAt: t.at[fact] as number,
      exit: t.exit[fact] as number,
    })
  }
}

function addEndedStays(facts: Facts, keys: string[], rows: Rows): string[] {
  const { endedStays: s } = facts
  return s.exit.map((exit, i) => {
    const instance = s.instance[i] as Instance
    const track = s.track[i] as number
    const enteredAt = s.enteredAt[i] as number
    const cause = s.cause[i] as number
    const key = transitionKey(instance, track, cause, s.eventId[i] ?? null, enteredAt)
    addStay(rows, facts, keys, {
      key,
      instance,
      track,
      state: s.state[i] as number,
      visit: s.visit[i] as number,
      enteredAt,
      exit,
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

function addStay(rows: Rows, facts: Facts, keys: string[], stay: Stay): void {
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
    exit < 0 ? null : (facts.transitions.at[exit] as number),
    exit < 0 ? null : (keys[exit] as string),
    track.isFinal[stay.state] as boolean,
    groupKey(instance),
    instance.startedAt,
    instance.startOrdinal,
    instance.startEventId,
  ])
}

function cycleRows(facts: Facts, keys: string[]): Rows {
  const { cycles: c, transitions: t } = facts
  const rows = new Rows('cycle')
  for (let i = 0; i < c.closedBy.length; i++) {
    const fact = c.closedBy[i] as number
    const { id, machine, profileId } = t.instance[fact] as Instance
    const track = machine.tracks[t.track[fact] as number] as CompiledTrack
    const pathFrom = i === 0 ? 0 : (c.statesEnd[i - 1] as number)
    const path = c.states
      .slice(pathFrom, c.statesEnd[i])
      .map((state) => track.states[state] as string)
    const startedAt = c.startedAt[i] as number
    const endedAt = t.at[fact] as number
    const key = `${keys[fact]}/cycle`
    rows.add(key, [
      key,
      machine.id,
      machine.version,
      id,
      profileId,
      track.name,
      c.number[i] as number,
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

function rejectionRows(facts: Facts, events: Events, sessionOf: readonly string[]): Rows {
  const { rejections: r } = facts
  const rows = new Rows('rejection')
  let next = 0
  for (let i = 0; i < r.row.length; i++) {
    const instance = r.instance[i] as Instance
    const { machine } = instance
    const row = r.row[i] as number
    const eventId = events.eventId[row] as string
    const states = machine.tracks.map((track) => track.states[r.states[next++] as number])
    rows.add(`${machine.id}/${machine.version}/${instance.id}/${eventId}`, [
      eventId,
      events.name[row] as string,
      machine.id,
      machine.version,
      instance.id,
      instance.profileId,
      states.join('|'),
      (r.hadCandidate[i] as boolean) ? 'guard_failed' : 'not_accepted',
      events.occurredAt[row] as number,
      sessionOf[row] as string,
    ])
  }
  return rows
}

function effectsOf(facts: Facts, events: Events, keys: string[]): DueEffect[] {
  const { effects: e, transitions: t } = facts
  return e.transition.map((fact, i) => {
    const instance = t.instance[fact] as Instance
    const { machine } = instance
    const effect = e.effect[i] as Effect
    const track = (machine.tracks[t.track[fact] as number] as CompiledTrack).name
    const at = t.at[fact] as number
    const by = eventIdOf(facts, events, fact) ?? `${at}@${instance.startEventId}`
    const part = instance.key === null ? '' : encodePart(instance.key)
    const payload = JSON.stringify(effect)
    const cause = `${CAUSES[t.cause[fact] as number]}/${e.index[i]}/${by}/${payload}`
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

/** Whole milliseconds of microseconds, rounded down. */
function wholeMs(micros: number): number {
  return Math.floor(micros / 1_000)
}
