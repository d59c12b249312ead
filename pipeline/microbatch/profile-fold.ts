/**
 * Folds journeys and funnels of profiles over one assignment of events to profiles, and returns
 * their rows.
 */

import type { Compiled } from '../definition/compile.ts'
import type { Place } from '../base/event-order.ts'
import type { Events, RowList } from '../stages/events.ts'
import { Fold } from '../stages/fold-journeys.ts'
import { FunnelFold } from '../stages/fold-funnels.ts'
import { freshFunnels, funnelsDueOf, type FunnelState } from '../stages/funnel-state.ts'
import { FunnelFacts, type Attempt } from '../stages/funnel-facts.ts'
import type { Ints } from '../stages/growable-array.ts'
import { dueOf, freshProfile, type ProfileState } from '../stages/instance.ts'
import { Facts } from '../stages/journey-facts.ts'
import type { Hashes } from '../base/hashes.ts'
import type { DueEffect } from './rows/due-effects.ts'
import { tabulateFunnels } from './rows/funnel-rows.ts'
import { tabulate } from './rows/journey-rows.ts'
import type { Rows } from './rows/rows.ts'

/** Journeys and funnels of a profile between two folds. */
export type FoldState = { state: ProfileState; funnels: FunnelState }

/** Returns the state of a profile before its first event. */
export function freshFoldState({ machines, funnels }: Compiled): FoldState {
  return { state: freshProfile(machines), funnels: freshFunnels(funnels) }
}

/** Returns the earliest instant, microseconds, at which a timeout or window is due; `Infinity` if
 * none is pending. */
export function foldDue({ funnels }: Compiled, foldState: FoldState): number {
  return Math.min(dueOf(foldState.state), funnelsDueOf(funnels, foldState.funnels))
}

/** Rows of the folded profiles. `ended` has the keys of superseded rows by table. */
export type FoldedRows = { rows: Rows[]; ended: Map<Rows['table'], Hashes>; effects: DueEffect[] }

export class ProfileFold {
  readonly #events: Events
  readonly #sessionOf: Ints
  readonly #facts = new Facts()
  readonly #found = new FunnelFacts()
  readonly #journeys: Fold
  readonly #funnels: FunnelFold

  /** `sessionOf` has codes by row of `events`; both may grow between runs. Only sessions of folded
   * rows are read. */
  constructor({ machines, funnels }: Compiled, events: Events, sessionOf: Ints) {
    this.#events = events
    this.#sessionOf = sessionOf
    this.#journeys = new Fold(machines, events, this.#facts)
    const facts = this.#facts
    const found = this.#found
    this.#funnels = new FunnelFold({ funnels, events, sessionOf, facts, found })
  }

  /** Attempts at funnels found so far. */
  get attempts(): readonly Attempt[] {
    return this.#found.attempts.attempt
  }

  /** Returns whether new rows at the end of event order change written rows. */
  mustFoldAgain(foldState: FoldState, last: Place | null, rows: RowList): boolean {
    return this.#funnels.mustFoldAgain(foldState.funnels, last, rows)
  }

  /** Continues `foldState` in place over rows of the profile, in event order, and up to the
   * watermark, microseconds. */
  run(profileId: string, foldState: FoldState, rows: RowList, watermark: number | null): void {
    const from = this.#facts.transitions.count
    this.#journeys.run(profileId, foldState.state, rows, watermark)
    this.#funnels.run(profileId, foldState.funnels, rows, from, watermark)
  }

  /** Returns the rows of everything folded so far. */
  rows(): FoldedRows {
    const journeys = tabulate(this.#facts, this.#events, this.#sessionOf)
    const funnels = tabulateFunnels(this.#found, this.#events.texts)
    const { transition, state, cycle, rejection, effects } = journeys
    const { attempt, step } = funnels
    return {
      rows: [transition, state, cycle, rejection, attempt, step],
      ended: new Map<Rows['table'], Hashes>([
        [state.table, journeys.endedStays],
        [attempt.table, funnels.endedAttempts],
        [step.table, funnels.endedSteps],
      ]),
      effects,
    }
  }
}
