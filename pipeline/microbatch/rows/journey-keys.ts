/**
 * Keys and codes that rows of an instance share: the hash of everything before the event, and the
 * codes of its texts. Each is made once an instance and fold.
 */

import { mapped } from '../../base/mapped.ts'
import { encodePart, highHalf, lowHalf } from '../../base/hash.ts'
import { HashPrefix } from '../../base/hash-prefix.ts'
import type { Hashes } from '../../base/hashes.ts'
import { LatestCode, type Texts } from '../../base/texts.ts'
import type { CompiledTrack, Machine } from '../../definition/machine.ts'
import type { Events } from '../../stages/events.ts'
import type { Instance } from '../../stages/instance.ts'
import { PathCodes } from './path-codes.ts'
import { CAUSES, TIMEOUT, type Facts } from '../../stages/journey-facts.ts'

/** Codes of a track's names, and by cause the part of a transition's key after the instance. */
export type TrackCodes = {
  name: number
  states: number[]
  isFinal: boolean[]
  ways: string[]
  paths: PathCodes
}

export type MachineCodes = {
  id: number
  version: number
  tracks: TrackCodes[]
  /** `machine/version/`. */
  prefix: HashPrefix
}

/** Codes of an instance, and halves of the hash of the group within which views number instances. */
export type InstanceCodes = {
  machine: MachineCodes
  id: number
  profile: number
  startEvent: number
  groupLow: number
  groupHigh: number
  /** `machine/version/instance`. */
  prefix: HashPrefix
  /** By track and cause: the key of a transition up to what caused it. */
  ways: HashPrefix[]
}

export class JourneyCodes {
  readonly texts: Texts
  readonly #machines = new Map<Machine, MachineCodes>()
  readonly #instances = new Map<Instance, InstanceCodes>()
  /** Rows of an instance are mostly adjacent, as are instances of a profile. */
  #last: Instance | null = null
  #codes: InstanceCodes | null = null
  readonly #profile: LatestCode

  constructor(texts: Texts) {
    this.texts = texts
    this.#profile = new LatestCode(texts)
  }

  of(instance: Instance): InstanceCodes {
    if (this.#last === instance) return this.#codes as InstanceCodes
    let codes = this.#instances.get(instance)
    if (codes === undefined) {
      codes = this.#make(instance)
      this.#instances.set(instance, codes)
    }
    this.#last = instance
    this.#codes = codes
    return codes
  }

  /** Adds a transition's key. A stay has the key of its entering transition. `eventId` is null for a
   * timeout, which `at` identifies. */
  pushKey(
    keys: Hashes,
    instance: Instance,
    track: number,
    cause: number,
    eventId: string | null,
    at: number,
  ): void {
    const by = cause === TIMEOUT ? String(at) : (eventId as string)
    keys.pushEnd(this.#way(this.of(instance), track, cause), by)
  }

  /** Adds the key of the cycle that a transition closed. */
  pushCycleKey(keys: Hashes, instance: Instance, track: number, cause: number, by: string): void {
    keys.pushEnd(this.#way(this.of(instance), track, cause).plus(by), '/cycle')
  }

  #way({ machine, prefix, ways }: InstanceCodes, track: number, cause: number): HashPrefix {
    const at = track * CAUSES.length + cause
    let way = ways[at]
    if (way === undefined) {
      way = prefix.plus(machine.tracks[track]?.ways[cause] as string)
      ways[at] = way
    }
    return way
  }

  #make(instance: Instance): InstanceCodes {
    const { texts } = this
    const { profileId, key } = instance
    const machine = this.#machineOf(instance.machine)
    const owner = encodePart(profileId)
    machine.prefix.end(key === null ? owner : `${owner}/${encodePart(key)}`)
    return {
      machine,
      groupLow: lowHalf(),
      groupHigh: highHalf(),
      id: texts.add(instance.id),
      profile: this.#profile.of(profileId),
      startEvent: texts.add(instance.startEventId),
      prefix: machine.prefix.plus(instance.id),
      ways: [],
    }
  }

  #machineOf(machine: Machine): MachineCodes {
    let codes = this.#machines.get(machine)
    if (codes === undefined) {
      const { id, version, tracks } = machine
      codes = {
        id: this.texts.code(id),
        version,
        tracks: mapped(tracks, (track) => this.#trackOf(track)),
        prefix: HashPrefix.of(`${id}/${version}/`),
      }
      this.#machines.set(machine, codes)
    }
    return codes
  }

  #trackOf({ name, states, isFinal }: CompiledTrack): TrackCodes {
    return {
      name: this.texts.code(name),
      states: states.map((state) => this.texts.code(state)),
      isFinal,
      ways: mapped(CAUSES, (cause) => `/${name}/${cause}/`),
      paths: new PathCodes(this.texts, states),
    }
  }
}

/** Returns the id of the event that caused a transition; null for a timeout. */
export function eventIdOf(facts: Facts, events: Events, fact: number): string | null {
  const row = facts.transitions.row.at(fact)
  return row < 0 ? null : events.eventIdOf(row)
}
