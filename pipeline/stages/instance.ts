/**
 * Instance of a journey, and the state of a profile between folds: its instances. All but their
 * machine is JSON (see `microbatch/profile-codec.ts`).
 */

import { encodePart } from '../base/hash.ts'
import type { Json } from '../base/json.ts'
import type { CompiledTrack, Machine } from '../definition/machine.ts'

/** One run of a journey. `id` follows from the rest; all but the machine is JSON. */
export type Instance = {
  id: string
  profileId: string
  machine: Machine
  key: string | null
  startEventId: string
  startedAt: number
  startOrdinal: number
  /** Transitions so far. */
  seq: number
  /** Events seen, by the machine's count slots. */
  counts: number[]
  tracks: TrackState[]
  /** Earliest pending timeout, microseconds; `Infinity` when there is none. */
  due: number
  isComplete: boolean
}

/** State of a track of an instance. */
export type TrackState = {
  state: number
  enteredAt: number
  /** How the current stay was entered; with the instance and the track it is the stay's id. */
  cause: number
  /** The event that did it; null for a timeout, which `enteredAt` tells apart. */
  eventId: string | null
  /** Fact of the entering transition in the fold at hand, or -1 when an earlier one made it. */
  fact: number
  /** Timeouts of this stay that have fired or are spent. */
  timeoutsPast: number
  /** By state: how often it was entered. */
  visits: number[]
  /** States since the start without the cycles, and when each was last entered. */
  path: number[]
  pathAt: number[]
  cycles: number
}

/** The instances of one machine by key; the unkeyed one has the key null. */
export type Instances = Map<string | null, Instance>

/** A profile between folds. `instances[m]` belongs to `machines[m]`. */
export type ProfileState = {
  instances: Instances[]
  /** The latest timeout decided, fired or spent: no event before it can be added. */
  decidedUpTo: number
}

export function freshProfile(machines: readonly Machine[]): ProfileState {
  return { instances: machines.map(() => new Map()), decidedUpTo: -Infinity }
}

/** Earliest pending timeout of a profile, `Infinity` when there is none. */
export function dueOf(profile: ProfileState): number {
  let due = Infinity
  for (const instances of profile.instances) {
    for (const instance of instances.values()) if (instance.due < due) due = instance.due
  }
  return due
}

/** Stays that an earlier fold opened are in no facts of this one. */
export function forgetFacts(profile: ProfileState): void {
  for (const instances of profile.instances) {
    for (const { tracks } of instances.values()) for (const track of tracks) track.fact = -1
  }
}

/** When the next timeout of a stay is due; `Infinity` when none is left. */
export function deadlineOf(compiled: CompiledTrack | undefined, track: TrackState): number {
  const timeout = compiled?.timeouts[track.state]?.[track.timeoutsPast]
  return timeout === undefined ? Infinity : track.enteredAt + timeout.delay
}

/** A string as it is, a number or boolean as its JSON text; anything else is no key. */
export function keyText(value: Json | undefined): string | null {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? JSON.stringify(value) : null
}

/** `profile/start event`, or `profile/key/start event`. */
export function instanceId(profileId: string, key: string | null, startEventId: string): string {
  const start = encodePart(startEventId)
  if (key === null) return `${encodePart(profileId)}/${start}`
  return `${encodePart(profileId)}/${encodePart(key)}/${start}`
}

/** Machine of a fold before its first run. */
export const NO_MACHINE: Machine = {
  id: '',
  version: 0,
  tracks: [],
  eventCount: 0,
  asks: [],
  isKnown: [],
  isStart: [],
  countSlot: [],
  noCounts: [],
  keyOperand: -1,
  restart: false,
}

export function noInstance(): Instance {
  return {
    id: '',
    profileId: '',
    machine: NO_MACHINE,
    key: null,
    startEventId: '',
    startedAt: 0,
    startOrdinal: 0,
    seq: 0,
    counts: [],
    tracks: [],
    due: Infinity,
    isComplete: true,
  }
}
