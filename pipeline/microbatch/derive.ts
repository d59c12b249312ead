/**
 * Derivation of a micro-batch. The order of the steps is written here and nowhere else.
 *
 *   link identities → derive sessions → plan profiles → place streams → fold profiles → outbox
 */

import { Changes } from './rows/changelog.ts'
import { foldProfiles, planProfiles, type Timers } from './derive-profiles.ts'
import { deriveSessions, type DerivedSessions } from './derive-sessions.ts'
import type { PlacedCorrection } from './identity-pairs.ts'
import { linkIdentities, relinkRemaining, type Relinking } from './link-identities.ts'
import type { Ints } from '../stages/growable-array.ts'
import type { MicroBatch } from './micro-batch.ts'
import { outboxRows, type OutboxRow } from './outbox.ts'

/** Changes of a batch besides its events and images. */
export type Derived = {
  changes: Changes
  /** Rows for the outbox, in publishing order. */
  effects: OutboxRow[]
  timers: Timers
}

/** Derives everything that the batch's events and `corrections` change. */
export async function derive(
  batch: MicroBatch,
  corrections: readonly PlacedCorrection[],
): Promise<Derived> {
  await loadImages(batch, batch.newNames, corrections)
  const { moves, changes } = await linkIdentities(batch, corrections)
  return deriveFrom(batch, changes, await deriveSessions(batch, moves, []))
}

/** Input of an erasure: `names` to be linked again, and `streams` that lose events. */
export type Erasing = Relinking & { streams: readonly string[] }

/** Derives everything again without the batch's `erased` events. Also returns the former component
 * keys of the erased person. */
export async function deriveErasure(
  batch: MicroBatch,
  corrections: readonly PlacedCorrection[],
  erasing: Erasing,
): Promise<Derived & { components: string[] }> {
  await loadImages(batch, batch.events.identifiers, corrections)
  await batch.images.identifier.load(erasing.names)
  const { components, ...relinked } = await relinkRemaining(batch, erasing)
  const linked = await linkIdentities(batch, corrections)
  relinked.changes.add(linked.changes)
  for (const [name, { before, after }] of linked.moves) {
    relinked.moves.set(name, { before: relinked.moves.get(name)?.before ?? before, after })
  }
  const sessions = await deriveSessions(batch, relinked.moves, erasing.streams)
  return { ...(await deriveFrom(batch, relinked.changes, sessions)), components }
}

/** Derives only journeys and funnels, over events with given owners and sessions. */
export function deriveProfiles(
  batch: MicroBatch,
  placements: DerivedSessions['placements'],
): Promise<Derived> {
  const continued = [...batch.newStreams]
  const sessions = { placements, continued, rederived: [], changes: new Changes(batch.texts) }
  return deriveFrom(batch, new Changes(batch.texts), sessions)
}

/** Runs the steps after linking. `changes` are those of the links. */
async function deriveFrom(
  batch: MicroBatch,
  changes: Changes,
  sessions: DerivedSessions,
): Promise<Derived> {
  const { placements } = sessions
  const plan = await planProfiles(batch, sessions)
  await placements.place(plan.streams)
  const profiles = foldProfiles(batch, plan, placements)
  const effects = await outboxRows(batch, profiles.effects)
  changes.add(sessions.changes)
  changes.add(profiles.changes)
  return { changes, effects, timers: profiles.timers }
}

/** Loads the images of streams and identifiers in the batch, in its corrections and in the open
 * sessions of its streams. */
async function loadImages(
  { images, newStreams, texts }: MicroBatch,
  names: readonly Ints[],
  corrections: readonly PlacedCorrection[],
): Promise<void> {
  const streams = texts.allOf(newStreams)
  await images.stream.load(streams)
  const identifiers = new Set<string>()
  for (const column of names) {
    for (let i = 0; i < column.length; i++) {
      if (column.at(i) >= 0) identifiers.add(texts.at(column.at(i)))
    }
  }
  for (const { a, b } of corrections) identifiers.add(a).add(b)
  for (const stream of streams) {
    const named = images.stream.get(stream)?.open.named ?? null
    if (named !== null) identifiers.add(named)
  }
  await images.identifier.load(identifiers)
}
