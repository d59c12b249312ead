/**
 * Sessions and owners of streams. A stream is cut and assigned from its first event, once as the
 * tables are now and once as they will be. Both are computed from the stored events; no derived
 * table is read.
 */

import { assignSessions, claimOf, type Claim } from '../stages/resolve-identity.ts'
import { sessionize, type Cut, type Session } from '../stages/sessionize.ts'
import type { Moves } from './link-identities.ts'
import type { MicroBatch } from './micro-batch.ts'

/** Owning profile and session by row. Rows that are not placed are undefined. */
export class Ownership {
  readonly profile: (string | undefined)[]
  readonly session: (string | undefined)[]

  /** The lists have equal length and must not be changed by the caller afterwards. */
  constructor(profile: (string | undefined)[] = [], session: (string | undefined)[] = []) {
    this.profile = profile
    this.session = session
  }

  set(row: number, profile: string, session: string): void {
    // Pads instead of leaving holes, because V8 stores an array with a large hole as a hash table.
    while (this.profile.length < row) {
      this.profile.push(undefined)
      this.session.push(undefined)
    }
    this.profile[row] = profile
    this.session[row] = session
  }

  /** Assigns rows to the sessions of a cut. `profiles[i]` owns `sessions[i]`. */
  setAll(
    rows: readonly number[],
    cut: Cut,
    sessions: readonly Session[],
    profiles: readonly string[],
  ): void {
    let at = 0
    rows.forEach((row, i) => {
      const session = cut.of[i] as Session
      // Both lists are in event order, so the next session is never behind.
      while (sessions[at] !== session) at += 1
      this.set(row, profiles[at] as string, session.sessionId)
    })
  }
}

/** A stream cut and assigned from its first event. `profiles[i]` owns `sessions[i]`. */
export type Placement = { sessions: Session[]; profiles: string[]; claim: Claim }

/** Streams placed so far, each at most once. */
export class Placements {
  /** Owners in the current tables; only events of history. */
  readonly before = new Ownership()
  /** Owners after this batch. */
  readonly after: Ownership
  readonly #batch: MicroBatch
  readonly #moves: Moves
  readonly #placed = new Map<string, { was: Placement; is: Placement }>()

  constructor(batch: MicroBatch, moves: Moves, after = new Ownership()) {
    this.#batch = batch
    this.#moves = moves
    this.after = after
  }

  /** Places streams. Reads their history and the images of their identifiers. */
  async place(streams: Iterable<string>): Promise<void> {
    const batch = this.#batch
    const missing = [...streams].filter((stream) => !this.#placed.has(stream))
    await batch.loadHistory(missing)
    await batch.images.identifier.load(identifiersOf(batch, missing))
    for (const stream of missing) {
      this.#placed.set(stream, {
        was: this.#cut(stream, batch.historyOf(stream), this.before, (identifier) =>
          this.profileBefore(identifier),
        ),
        is: this.#cut(stream, batch.remainingOf(stream), this.after, (identifier) =>
          this.profileAfter(identifier),
        ),
      })
    }
  }

  /** Returns the placement of a stream, which must be placed. */
  of(stream: string): { was: Placement; is: Placement } {
    return this.#placed.get(stream) as { was: Placement; is: Placement }
  }

  /** Returns the profile of a person identifier after this batch. Its image must be loaded. */
  profileAfter(identifier: string): string {
    return this.#batch.images.identifier.get(identifier)?.profile ?? identifier
  }

  /** Returns the profile of a person identifier before this batch. Its image must be loaded. */
  profileBefore(identifier: string): string {
    return this.#moves.get(identifier)?.before ?? this.profileAfter(identifier)
  }

  #cut(
    stream: string,
    rows: readonly number[],
    ownership: Ownership,
    profileOf: (identifier: string) => string,
  ): Placement {
    const { events, compiled } = this.#batch
    const cut = sessionize(events, rows, compiled.sessions, null)
    const named = cut.sessions.map(({ named }) => (named === null ? null : profileOf(named)))
    const profiles = assignSessions(named, stream, compiled.identity)
    ownership.setAll(rows, cut, cut.sessions, profiles)
    const persons = named.filter((name) => name !== null)
    return { sessions: cut.sessions, profiles, claim: claimOf(persons, compiled.identity) }
  }
}

/** Yields the identifiers in the history of streams, with repetitions. */
function* identifiersOf(batch: MicroBatch, streams: readonly string[]): Generator<string> {
  for (const stream of streams) {
    for (const row of batch.historyOf(stream)) {
      for (const column of batch.events.identifiers) {
        const identifier = column[row]
        if (identifier !== undefined) yield identifier
      }
    }
  }
}
