/**
 * Folds a profile's events through compiled journeys into transitions, stays, cycles, rejections
 * and effects. Keyed by profile, pure and synchronous.
 *
 * A profile can be folded at once or continued from its state. Both give the same facts if events
 * come in event order and none is before a decided timeout. The state between folds is JSON.
 *
 * Time is event time. Before an event, all timeouts due up to its instant fire; after the last
 * event, all timeouts due up to the watermark. Instances are independent, so each is advanced only
 * when an event concerns it, or at the end.
 */

import type { Events, RowList } from './events.ts'
import { EVENT, START, TIMEOUT, type Facts } from './journey-facts.ts'
import { extendPath } from './erase-loops.ts'
import type { Scope } from '../definition/guard.ts'
import {
  deadlineOf,
  forgetFacts,
  freshProfile,
  keyText,
  newInstance,
  NO_MACHINE,
  noInstance,
  type Instance,
  type Instances,
  type ProfileState,
  type TrackState,
} from './instance.ts'
import type { Effect } from '../definition/journey.ts'
import type { Json } from '../base/json.ts'
import type { Cell, CompiledTrack, Machine, Way } from '../definition/machine.ts'

/** Folds profiles of one set of machines and one working set of events into one set of facts. */
export class Fold implements Scope {
  readonly #machines: readonly Machine[]
  readonly #events: Events
  readonly #facts: Facts
  /** Current profile, instance and event, for the guards. */
  #profileId = ''
  #profile: ProfileState
  #machine: Machine
  #instance: Instance
  #row = -1
  #at = 0
  /** Decision per track for one event. All are made before any track moves. */
  readonly #taken: (Way | null)[] = []

  constructor(machines: readonly Machine[], events: Events, facts: Facts) {
    this.#machines = machines
    this.#events = events
    this.#facts = facts
    this.#profile = freshProfile([])
    this.#machine = NO_MACHINE
    this.#instance = noInstance()
  }

  /**
   * Continues `profile` in place over `rows` (in event order, after those folded before), then up
   * to the watermark (null decides no timeout).
   */
  run(profileId: string, profile: ProfileState, rows: RowList, watermark: number | null): void {
    this.#profileId = profileId
    this.#profile = profile
    forgetFacts(profile)
    for (let m = 0; m < this.#machines.length; m++) {
      const machine = this.#machines[m] as Machine
      const instances = profile.instances[m] as Instances
      this.#machine = machine
      if (machine.keyOperand < 0) this.#unkeyed(instances, rows)
      else this.#keyed(instances, rows)
      if (watermark === null) continue
      for (const instance of instances.all) {
        if (instance.due <= watermark) this.#timeouts(instance, watermark)
      }
    }
  }

  #unkeyed(instances: Instances, rows: RowList): void {
    const { asks } = this.#machine
    const before = instances.get(null)
    let instance = before
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number
      const code = this.#events.code.at(row)
      if (asks[code]) instance = this.#event(instance, null, row, code)
    }
    if (instance !== undefined && instance !== before) instances.set(instance)
  }

  #keyed(instances: Instances, rows: RowList): void {
    const { asks, keyOperand } = this.#machine
    const values = this.#events.operands[keyOperand]
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number
      const code = this.#events.code.at(row)
      const key = asks[code] ? keyText(values?.[row]) : null
      if (key === null) continue
      const before = instances.get(key)
      const instance = this.#event(before, key, row, code)
      if (instance !== undefined && instance !== before) instances.set(instance)
    }
  }

  /** Processes an event; returns the open instance afterwards, if any. */
  #event(
    before: Instance | undefined,
    key: string | null,
    row: number,
    code: number,
  ): Instance | undefined {
    const machine = this.#machine
    const at = this.#events.occurredAt.at(row)
    let instance = before
    if (instance !== undefined && instance.due <= at) this.#timeouts(instance, at)
    let isStarting = false
    if (instance === undefined || (instance.isComplete && machine.restart)) {
      if (!machine.isStart[code]) return instance
      instance = this.#start(key, row, at)
      isStarting = true
    }
    if (instance.isComplete) return instance
    const slot = machine.countSlot[code] as number
    if (slot >= 0) instance.counts[slot] = (instance.counts[slot] as number) + 1
    if (machine.isKnown[code]) this.#apply(instance, row, at, code, isStarting)
    return instance
  }

  #start(key: string | null, row: number, at: number): Instance {
    const machine = this.#machine
    const startEventId = this.#events.eventIdOf(row)
    const ordinal = this.#events.ordinal.at(row)
    const start = { eventId: startEventId, at, ordinal }
    const instance = newInstance(machine, this.#profileId, key, start)
    this.#row = row
    for (let t = 0; t < machine.tracks.length; t++) {
      const track = machine.tracks[t] as CompiledTrack
      this.#enter(instance, t, track.initial, START, at, track.startEffects)
    }
    this.#settle(instance)
    return instance
  }

  /** Decides every track on the states before the event, then moves those that take it. */
  #apply(instance: Instance, row: number, at: number, code: number, isStarting: boolean): void {
    const { tracks, eventCount } = this.#machine
    this.#instance = instance
    this.#row = row
    this.#at = at
    let isTaken = false
    let isIgnored = false
    let hadCandidate = false
    for (let t = 0; t < tracks.length; t++) {
      const { state } = instance.tracks[t] as TrackState
      const cell = (tracks[t] as CompiledTrack).cells[state * eventCount + code] as Cell | null
      const way = cell === null ? null : this.choose(cell.ways, at)
      this.#taken[t] = way
      if (way !== null) isTaken = true
      else if (cell !== null && cell.ignored) isIgnored = true
      else if (cell !== null) hadCandidate = true
    }
    if (!isTaken) {
      if (!isIgnored && !isStarting) this.#reject(instance, hadCandidate)
      return
    }
    for (let t = 0; t < tracks.length; t++) {
      const way = this.#taken[t] as Way | null
      if (way !== null) this.#enter(instance, t, way.target, EVENT, at, way.effects)
    }
    this.#settle(instance)
  }

  protected choose(ways: readonly Way[], _at: number): Way | null {
    for (const way of ways) if (way.guard === null || way.guard(this)) return way
    return null
  }

  /** Fires timeouts due up to `limit`, the earliest first, then in the order of the tracks. */
  #timeouts(instance: Instance, limit: number): void {
    const { tracks } = this.#machine
    this.#instance = instance
    this.#row = -1
    while (instance.due <= limit) {
      const at = instance.due
      const t = instance.tracks.findIndex((track, i) => deadlineOf(tracks[i], track) === at)
      const track = instance.tracks[t] as TrackState
      const timeout = (tracks[t] as CompiledTrack).timeouts[track.state]?.[track.timeoutsPast]
      track.timeoutsPast += 1
      this.#at = at
      const way = this.choose(timeout?.ways ?? [], at)
      if (way !== null) this.#enter(instance, t, way.target, TIMEOUT, at, way.effects)
      this.#settle(instance)
      if (at > this.#profile.decidedUpTo) this.#profile.decidedUpTo = at
    }
  }

  #enter(
    instance: Instance,
    t: number,
    to: number,
    cause: number,
    at: number,
    effects: readonly Effect[],
  ): void {
    const track = instance.tracks[t] as TrackState
    const { transitions } = this.#facts
    const fact = transitions.count
    const visit = (track.visits[to] as number) + 1
    if (track.fact >= 0) transitions.exit.values[track.fact] = fact
    else if (track.state >= 0) this.#facts.endStay(instance, t, track, fact)
    transitions.instance.push(instance)
    transitions.track.push(t)
    transitions.seq.push((instance.seq += 1))
    transitions.cause.push(cause)
    transitions.from.push(track.state)
    transitions.to.push(to)
    transitions.row.push(this.#row)
    transitions.at.push(at)
    transitions.dwell.push(cause === START ? -1 : at - track.enteredAt)
    transitions.visit.push(visit)
    transitions.exit.push(-1)
    for (let i = 0; i < effects.length; i++) {
      this.#facts.effects.transition.push(fact)
      this.#facts.effects.index.push(i)
      this.#facts.effects.effect.push(effects[i] as Effect)
    }
    track.visits[to] = visit
    track.state = to
    track.enteredAt = at
    track.cause = cause
    track.eventId = this.#row < 0 ? null : this.#events.eventIdOf(this.#row)
    track.fact = fact
    track.timeoutsPast = 0
    extendPath(track, to, at, fact, this.#facts.cycles)
  }

  #reject(instance: Instance, hadCandidate: boolean): void {
    const { rejections } = this.#facts
    rejections.instance.push(instance)
    rejections.row.push(this.#row)
    for (const { state } of instance.tracks) rejections.states.push(state)
    rejections.hadCandidate.push(hadCandidate ? 1 : 0)
  }

  /** Updates `due` and `isComplete` after a transition or a timeout whose guard failed. */
  #settle(instance: Instance): void {
    const { tracks } = this.#machine
    let due = Infinity
    let isComplete = true
    for (let t = 0; t < tracks.length; t++) {
      const state = instance.tracks[t] as TrackState
      const deadline = deadlineOf(tracks[t], state)
      if (deadline < due) due = deadline
      if (!(tracks[t] as CompiledTrack).isFinal[state.state]) isComplete = false
    }
    instance.due = due
    instance.isComplete = isComplete
  }

  operand(index: number): Json | undefined {
    return this.#row < 0 ? undefined : this.#events.operands[index]?.[this.#row]
  }

  field(name: 'source' | 'name'): string | undefined {
    return this.#row < 0 ? undefined : this.#events.texts.at(this.#events[name].at(this.#row))
  }

  count(slot: number): number {
    return this.#instance.counts[slot] as number
  }

  visits(track: number, state: number): number {
    return this.#instance.tracks[track]?.visits[state] ?? 0
  }

  state(track: number): number {
    return this.#instance.tracks[track]?.state ?? -1
  }

  dwell(track: number): number {
    return this.#at - (this.#instance.tracks[track] as TrackState).enteredAt
  }
}
