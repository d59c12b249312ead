/** Texts that are hashed to the ids of transitions, stays and instances. */

import { encodePart } from '../base/hash.ts'
import type { CompiledTrack } from '../definition/machine.ts'
import type { Events } from '../stages/events.ts'
import type { Instance } from '../stages/instance.ts'
import { CAUSES, TIMEOUT, type Facts } from '../stages/journey-facts.ts'

/** Texts shared by the rows of an instance, each built once. */
export class InstanceNames {
  readonly #prefixes = new Map<Instance, string>()
  readonly #groups = new Map<Instance, string>()

  /** Text that is hashed to a transition's id. A stay has the id of its entering transition. */
  transitionKey(
    instance: Instance,
    track: number,
    cause: number,
    eventId: string | null,
    at: number,
  ): string {
    const { machine } = instance
    let prefix = this.#prefixes.get(instance)
    if (prefix === undefined) {
      prefix = `${machine.id}/${machine.version}/${instance.id}`
      this.#prefixes.set(instance, prefix)
    }
    const name = (machine.tracks[track] as CompiledTrack).name
    const by = cause === TIMEOUT ? String(at) : (eventId as string)
    return `${prefix}/${name}/${CAUSES[cause]}/${by}`
  }

  /** Text of the group within which views number instances. */
  groupKey(instance: Instance): string {
    let group = this.#groups.get(instance)
    if (group === undefined) {
      const { machine, profileId, key } = instance
      const part = key === null ? '' : `/${encodePart(key)}`
      group = `${machine.id}/${machine.version}/${encodePart(profileId)}${part}`
      this.#groups.set(instance, group)
    }
    return group
  }
}

/** Returns the id of the event that caused a transition; null for a timeout. */
export function eventIdOf(facts: Facts, events: Events, fact: number): string | null {
  const row = facts.transitions.row.at(fact)
  return row < 0 ? null : events.eventIdOf(row)
}
