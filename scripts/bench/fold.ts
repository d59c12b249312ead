/**
 * Fold beside XState v5's pure `transition`, with the same machine and events, one profile after
 * another.
 */

import { createMachine, initialTransition, transition } from 'xstate'
import { elapsedMs } from '../../pipeline/base/clock.ts'
import { Texts } from '../../pipeline/base/texts.ts'
import { compile } from '../../pipeline/definition/compile.ts'
import { Events } from '../../pipeline/stages/events.ts'
import { Facts } from '../../pipeline/stages/journey-facts.ts'
import { Fold } from '../../pipeline/stages/fold-journeys.ts'
import { freshProfile } from '../../pipeline/stages/instance.ts'
import { IDENTITY_DEFAULT, SESSIONS_DEFAULT } from '../../pipeline/definition/settings.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { Random } from '../sample/random.ts'

const EVENTS_PER_PROFILE = 50
const SECOND = 1_000_000

const NAMES = ['Added', 'Started', 'Failed', 'Completed', 'Viewed'] as const

const JOURNEY: Journey = {
  id: 'bench',
  version: 1,
  initial: 'browsing',
  startOn: ['Viewed', 'Added'],
  states: {
    browsing: { on: { Added: 'cart' }, ignore: ['Viewed'] },
    cart: { on: { Started: 'checkout', Failed: 'browsing' }, ignore: ['Viewed', 'Added'] },
    checkout: { on: { Completed: 'bought', Failed: 'cart' }, ignore: ['Viewed', 'Added'] },
    bought: { on: { Added: 'cart' }, ignore: ['Viewed'] },
  },
}

const PEER = createMachine({
  initial: 'browsing',
  states: {
    browsing: { on: { Added: 'cart' } },
    cart: { on: { Started: 'checkout', Failed: 'browsing' } },
    checkout: { on: { Completed: 'bought', Failed: 'cart' } },
    bought: { on: { Added: 'cart' } },
  },
})

/** Returns events per second of the fold and of XState. */
export function foldRates(profileCount: number, peerProfileCount: number): [number, number] {
  const { machines, eventCodes } = compile({
    identity: IDENTITY_DEFAULT,
    sessions: SESSIONS_DEFAULT,
    journeys: [JOURNEY],
  })
  const random = new Random(5)
  const events = new Events({ texts: new Texts(), eventCodes, namespaces: 0, operands: 0 })
  for (let row = 0; row < EVENTS_PER_PROFILE * profileCount; row++) {
    const occurredAt = row * SECOND
    const name = random.pick(NAMES)
    events.add({ eventId: `e${row}`, name, source: 'web', occurredAt, ordinal: 0 })
  }
  const rowsOf = Array.from({ length: profileCount }, (_, profile) =>
    Int32Array.from({ length: EVENTS_PER_PROFILE }, (_, i) => profile * EVENTS_PER_PROFILE + i),
  )
  const ours = rate(profileCount, (first, last) => {
    const fold = new Fold(machines, events, new Facts())
    for (let profile = first; profile < last; profile++) {
      fold.run(`p${profile}`, freshProfile(machines), rowsOf[profile] as Int32Array, null)
    }
  })
  const peers = rate(peerProfileCount, (first, last) => {
    for (let profile = first; profile < last; profile++) {
      let [state] = initialTransition(PEER)
      for (let i = 0; i < EVENTS_PER_PROFILE; i++) {
        const type = events.nameOf(profile * EVENTS_PER_PROFILE + i)
        ;[state] = transition(PEER, state, { type })
      }
    }
  })
  return [ours, peers]
}

/** Profiles per slice; a slice has as many events as a batch. */
const SLICE = 300

/** Slices before the measurement, so that both are compiled. */
const WARM_UP = 20

/** Runs in slices, as batches do, and returns events per second. */
function rate(profileCount: number, run: (first: number, last: number) => void): number {
  const slice = Math.min(SLICE, profileCount)
  for (let i = 0; i < WARM_UP; i++) run(0, slice)
  const startedAt = elapsedMs()
  for (let first = 0; first < profileCount; first += slice) {
    run(first, Math.min(first + slice, profileCount))
  }
  return (profileCount * EVENTS_PER_PROFILE * 1_000) / (elapsedMs() - startedAt)
}
