/**
 * Sessions and owners of streams. A stream is cut and assigned from its first event, once as the
 * tables are now and once as they will be. Both are computed from the stored events; no derived
 * table is read.
 *
 * Streams, identifiers, profiles and sessions are codes of the batch's texts.
 */

import { NO_TEXT } from '../base/texts.ts'
import type { RowList } from '../stages/events.ts'
import { Ints } from '../stages/growable-array.ts'
import { assignSessions, type Claim } from '../stages/resolve-identity.ts'
import { sessionize, type Cut, type Session } from '../stages/sessionize.ts'
import type { Moves } from './link-identities.ts'
import type { MicroBatch } from './micro-batch.ts'

/** Owning profile and session by row. Rows that are not placed have none. */
export class Ownership {
  readonly profile = new Ints()
  readonly session = new Ints()

  /** Returns the profile of a row, or `NO_TEXT`. */
  profileOf(row: number): number {
    return row < this.profile.length ? this.profile.at(row) : NO_TEXT
  }

  /** Returns the session of a row, or `NO_TEXT`. */
  sessionOf(row: number): number {
    return row < this.session.length ? this.session.at(row) : NO_TEXT
  }

  /** Returns those of `rows` that a profile has. */
  rowsOf(profile: number, rows: Int32Array): Int32Array {
    const found = new Int32Array(rows.length)
    let count = 0
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number
      if (this.profileOf(row) === profile) found[count++] = row
    }
    return found.subarray(0, count)
  }

  set(row: number, profile: number, session: number): void {
    this.profile.set(row, profile)
    this.session.set(row, session)
  }

  /**
   * Assigns rows to the sessions of their cut. `profiles[first + i]` owns session i. The code of a
   * session is that of its first event. `resumed` is the code of a first session that an earlier
   * batch began, otherwise `NO_TEXT`.
   */
  setAll(
    { eventId }: MicroBatch['events'],
    rows: RowList,
    { from }: Cut,
    profiles: readonly number[],
    { first, resumed }: { first: number; resumed: number },
  ): void {
    for (let i = 0; i < from.length; i++) {
      const start = from[i] as number
      const isResumed = i === 0 && resumed !== NO_TEXT
      const session = isResumed ? resumed : eventId.at(rows[start] as number)
      const profile = profiles[first + i] as number
      const end = from[i + 1] ?? rows.length
      for (let at = start; at < end; at++) this.set(rows[at] as number, profile, session)
    }
  }
}

/** A stream cut and assigned from its first event. `profiles[i]` owns `sessions[i]`. */
export type Placement = { sessions: Session[]; profiles: number[]; claim: Claim }

/** Streams placed so far, each at most once. */
export class Placements {
  /** Owners in the current tables; only events of history. */
  readonly before = new Ownership()
  /** Owners after this batch. */
  readonly after: Ownership
  readonly #batch: MicroBatch
  /** By identifier: its profile before this batch, if that differs. */
  readonly #movedFrom = new Map<number, number>()
  readonly #placed = new Map<number, { was: Placement; is: Placement }>()
  /** Profile after this batch by identifier; -1 if not looked up. */
  readonly #profiles = new Ints()

  constructor(batch: MicroBatch, moves: Moves, after = new Ownership()) {
    this.#batch = batch
    this.after = after
    for (const [identifier, { before }] of moves) {
      this.#movedFrom.set(batch.texts.code(identifier), batch.texts.code(before))
    }
  }

  /** Places streams. Reads their history and the images of their identifiers. */
  async place(streams: Iterable<number>): Promise<void> {
    const batch = this.#batch
    const missing: number[] = []
    for (const stream of streams) if (!this.#placed.has(stream)) missing.push(stream)
    await batch.loadHistory(missing)
    await batch.images.identifier.load(identifiersOf(batch, missing))
    for (const stream of missing) {
      this.#placed.set(stream, {
        was: this.#cut(stream, batch.historyOf(stream), this.before),
        is: this.#cut(stream, batch.remainingOf(stream), this.after),
      })
    }
  }

  /** Returns the placement of a stream, which must be placed. */
  of(stream: number): { was: Placement; is: Placement } {
    return this.#placed.get(stream) as { was: Placement; is: Placement }
  }

  /** Returns the profile of a person identifier after this batch. Its image must be loaded. */
  profileAfter(identifier: number): number {
    const known = identifier < this.#profiles.length ? this.#profiles.at(identifier) : NO_TEXT
    if (known !== NO_TEXT) return known
    const { images, texts } = this.#batch
    const image = images.identifier.get(texts.at(identifier))
    const profile = image === undefined ? identifier : texts.code(image.profile)
    this.#profiles.set(identifier, profile)
    return profile
  }

  /** Returns the profile of a person identifier before this batch. Its image must be loaded. */
  profileBefore(identifier: number): number {
    return this.#movedFrom.get(identifier) ?? this.profileAfter(identifier)
  }

  #cut(stream: number, rows: Int32Array, ownership: Ownership): Placement {
    const { events, texts, compiled } = this.#batch
    const cut = sessionize(events, rows, compiled.sessions, null)
    const named: number[] = []
    for (const session of cut.sessions) {
      const identifier = session.named === null ? NO_TEXT : texts.code(session.named)
      if (identifier === NO_TEXT) named.push(NO_TEXT)
      else if (ownership === this.before) named.push(this.profileBefore(identifier))
      else named.push(this.profileAfter(identifier))
    }
    const { profiles, claim } = assignSessions(named, stream, compiled.identity)
    ownership.setAll(events, rows, cut, profiles, { first: 0, resumed: NO_TEXT })
    return { sessions: cut.sessions, profiles, claim }
  }
}

/** Returns the identifiers in the history of streams. */
function identifiersOf(batch: MicroBatch, streams: readonly number[]): string[] {
  const { events } = batch
  const found = new Set<number>()
  for (const stream of streams) {
    for (const row of batch.historyOf(stream)) {
      for (const column of events.identifiers) if (column.at(row) >= 0) found.add(column.at(row))
    }
  }
  return batch.texts.allOf(found)
}
