/** Effects of the transitions of a fold. */

import { encodePart, uuidOf, uuidText } from '../../base/hash.ts'
import type { Hashes } from '../../base/hashes.ts'
import { parseDuration } from '../../definition/duration.ts'
import type { Effect } from '../../definition/journey.ts'
import type { CompiledTrack, Machine } from '../../definition/machine.ts'
import type { Events } from '../../stages/events.ts'
import type { Instance } from '../../stages/instance.ts'
import { CAUSES, type Facts } from '../../stages/journey-facts.ts'
import { eventIdOf } from './journey-keys.ts'

/** Effect of a current transition. `withinUs` in microseconds; null means unlimited. */
export type DueEffect = {
  /** `effect_id`: hash of cause and content. Profile and instance are left out, so that merging
   * people publishes nothing twice. */
  id: string
  /** `transition_id`. */
  transition: string
  type: string
  payload: string
  machine: Machine
  instanceId: string
  profileId: string
  occurredAt: number
  withinUs: number | null
}

/** `keys` are those of the transitions. */
export function effectsOf(facts: Facts, events: Events, keys: Hashes): DueEffect[] {
  const { effects: e, transitions: t } = facts
  const contents = new Map<Effect, Content>()
  const ids = keys.bytes()
  const due: DueEffect[] = []
  for (let i = 0; i < e.effect.length; i++) {
    const effect = e.effect[i] as Effect
    const fact = e.transition.at(i)
    const instance = t.instance[fact] as Instance
    const { machine } = instance
    const track = (machine.tracks[t.track.at(fact)] as CompiledTrack).name
    const at = t.at.at(fact)
    const by = eventIdOf(facts, events, fact) ?? `${at}@${instance.startEventId}`
    const part = instance.key === null ? '' : encodePart(instance.key)
    const content = contents.get(effect) ?? contentOf(effect)
    contents.set(effect, content)
    const cause = `${CAUSES[t.cause.at(fact)]}/${e.index.at(i)}/${by}/${content.payload}`
    due.push({
      id: uuidOf(`${machine.id}/${machine.version}/${part}/${track}/${cause}`),
      transition: uuidText(ids, fact),
      type: content.type,
      payload: content.payload,
      machine,
      instanceId: instance.id,
      profileId: instance.profileId,
      occurredAt: at,
      withinUs: content.withinUs,
    })
  }
  return due
}

type Content = Pick<DueEffect, 'type' | 'payload' | 'withinUs'>

function contentOf(effect: Effect): Content {
  const { type, within } = effect
  return { type, payload: JSON.stringify(effect), withinUs: parseDuration(within) }
}
