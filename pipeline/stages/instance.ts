/**
 * Instance of a journey, and the instances of a profile as its state between folds. Everything
 * except the machine is JSON (see `microbatch/codec/profile-codec.ts`).
 */

import { mapped } from '../base/mapped.ts'
import { encodePart } from '../base/hash.ts'
import type { Json } from '../base/json.ts'
import type { CompiledTrack, Machine } from '../definition/machine.ts'

/** One run of a journey. `id` is derived from the other members. */
export type Instance = {
  id: string
  profileId: string
  machine: Machine
  key: string | null
  startEventId: string
  startedAt: number
  startOrdinal: number
  /** Number of transitions. */
  seq: number
  /** Number of events by count slot of the machine. */
  counts: number[]
  tracks: TrackState[]
  /** Earliest pending timeout, microseconds; `Infinity` if none is pending. */
  due: number
  isComplete: boolean
}

/** State of a track of an instance. */
export type TrackState = {
  state: number
  enteredAt: number
  /** How the current stay was entered. It is part of the stay's id, with the instance and the
   * track. */
  cause: number
  /** Entering event; null for a timeout, which `enteredAt` identifies. */
  eventId: string | null
  /** Number of the entering transition in the current fold, or -1 for an earlier fold. */
  fact: number
  /** Number of timeouts of this stay that fired or whose guard failed. */
  timeoutsPast: number
  /** Number of entries by state. */
  visits: number[]
  /** States since the start without cycles, and when each was last entered. */
  path: number[]
  pathAt: number[]
  cycles: number
}

/** More instances than this are found by a map: most profiles have one, and a map for it takes more
 * memory than the rest of its state. */
const COMPARED_MAX = 8

/** Instances of one machine, one a key; null is the key of an unkeyed instance. */
export class Instances {
  #all: readonly Instance[]
  /** By key: the position in `#all`. */
  #positions: Map<string | null, number> | null = null

  constructor(all: readonly Instance[] = []) {
    this.#all = all
  }

  /** In the order in which their keys came. */
  get all(): readonly Instance[] {
    return this.#all
  }

  get(key: string | null): Instance | undefined {
    const position = this.#positionOf(key)
    return position < 0 ? undefined : this.#all[position]
  }

  /** Adds an instance, in the place of one with its key. */
  set(instance: Instance): void {
    const position = this.#positionOf(instance.key)
    const all = this.#all as Instance[]
    if (position >= 0) all[position] = instance
    else if (all.length < COMPARED_MAX) this.#all = [...all, instance]
    else this.#positions?.set(instance.key, all.push(instance) - 1)
  }

  #positionOf(key: string | null): number {
    if (this.#all.length < COMPARED_MAX) return positionIn(this.#all, key)
    this.#positions ??= new Map(this.#all.map((one, position) => [one.key, position]))
    return this.#positions.get(key) ?? -1
  }
}

/** Returns the position of the instance with a key, or -1. */
function positionIn(all: readonly Instance[], key: string | null): number {
  for (let position = 0; position < all.length; position++) {
    if ((all[position] as Instance).key === key) return position
  }
  return -1
}

/** State of a profile between folds. `instances[m]` belongs to `machines[m]`. */
export type ProfileState = {
  instances: Instances[]
  /** Timeouts up to this instant are decided, so no earlier event can be added. */
  decidedUpTo: number
}

export function freshProfile(machines: readonly Machine[]): ProfileState {
  return profileState(
    mapped(machines, () => new Instances()),
    -Infinity,
  )
}

/** Returns a state. States that are made in one place have one hidden class. */
export function profileState(instances: Instances[], decidedUpTo: number): ProfileState {
  return { instances, decidedUpTo }
}

/** Returns the earliest pending timeout of a profile; `Infinity` if none is pending. */
export function dueOf(profile: ProfileState): number {
  let due = Infinity
  for (const instances of profile.instances) {
    for (const instance of instances.all) if (instance.due < due) due = instance.due
  }
  return due
}

/** Clears references to facts of an earlier fold. */
export function forgetFacts(profile: ProfileState): void {
  for (const instances of profile.instances) {
    for (const { tracks } of instances.all) for (const track of tracks) track.fact = -1
  }
}

/** Returns when the next timeout of a stay is due; `Infinity` if none is left. */
export function deadlineOf(compiled: CompiledTrack | undefined, track: TrackState): number {
  const timeout = compiled?.timeouts[track.state]?.[track.timeoutsPast]
  return timeout === undefined ? Infinity : track.enteredAt + timeout.delay
}

/** Returns a string as it is and a number or boolean as JSON text; null for other values. */
export function keyText(value: Json | undefined): string | null {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? JSON.stringify(value) : null
}

/** Returns `profile/start event`, or `profile/key/start event`. */
export function instanceId(profileId: string, key: string | null, startEventId: string): string {
  const start = encodePart(startEventId)
  if (key === null) return `${encodePart(profileId)}/${start}`
  return `${encodePart(profileId)}/${encodePart(key)}/${start}`
}

/** Returns an instance that has entered no state yet. `at` is in microseconds. */
export function newInstance(
  machine: Machine,
  profileId: string,
  key: string | null,
  { eventId, at, ordinal }: { eventId: string; at: number; ordinal: number },
): Instance {
  return {
    id: instanceId(profileId, key, eventId),
    profileId,
    machine,
    key,
    startEventId: eventId,
    startedAt: at,
    startOrdinal: ordinal,
    seq: 0,
    counts: machine.noCounts.slice(),
    tracks: mapped(machine.tracks, (track) => ({
      state: -1,
      enteredAt: at,
      cause: -1,
      eventId,
      fact: -1,
      timeoutsPast: 0,
      visits: track.noVisits.slice(),
      path: [],
      pathAt: [],
      cycles: 0,
    })),
    due: Infinity,
    isComplete: false,
  }
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
