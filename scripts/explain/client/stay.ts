/** Stays in states, as one revision has them. */

import type { Happening, StoryDocument } from '../document.ts'
import { placeOf } from '../words.ts'

export type Stay = {
  profileId: string
  journey: string
  track: string
  /** Key of a journey with one instance per order, for example. */
  key: string | null
  instanceId: string
  state: string
  since: number
}

/** The stays of every profile, journey, key and track, one after another. Of a profile that is
 * somebody else's, its state is not known. */
export function staysOf(story: StoryDocument, revision: number): Stay[][] {
  const { happenings = [], profiles = [] } = story.revisions[revision] ?? {}
  const whole = new Set(profiles.flatMap((one) => (one.isWhole ? [one.profileId] : [])))
  const lanes = new Map<string, Stay[]>()
  for (const n of happenings) {
    const { at: since, profileId, outcomes } = story.happenings[n] as Happening
    if (!whole.has(profileId)) continue
    for (const { journey, track, instanceId, to } of outcomes) {
      if (to === null) continue
      const key = keyOf(instanceId)
      const name = JSON.stringify([profileId, journey, key, track])
      const lane = lanes.get(name) ?? []
      lane.push({ profileId, journey, track, key, instanceId, state: to, since })
      lanes.set(name, lane)
    }
  }
  const order = ([first]: Stay[]) =>
    first === undefined ? '' : `${titleOf(first)} ${first.profileId !== story.profileId}`
  return [...lanes.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

/** At most so many, those that changed last, in their order. */
export function latestChanged<Of>(all: Of[], max: number, changedAt: (one: Of) => number): Of[] {
  const kept = new Set(all.toSorted((a, b) => changedAt(b) - changedAt(a)).slice(0, max))
  return all.filter((one) => kept.has(one))
}

/** An instance id is the profile, the key if there is one, and the start event. */
function keyOf(instanceId: string): string | null {
  const parts = instanceId.split('/')
  return parts.length === 3 ? decodeURIComponent(parts[1] as string) : null
}

export const titleOf = (stay: Stay) => `${placeOf(stay)}${stay.key === null ? '' : `, ${stay.key}`}`
