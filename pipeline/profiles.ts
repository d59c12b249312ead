/**
 * The journeys of the profiles a batch touches.
 *
 * A profile that only gains events, all after what it has folded and after every timeout decided,
 * is *continued* from its image. Any other (it lost events, got some from another profile, got a
 * late one, or an event's session changed) is *folded again*: once over the events it had, up to
 * the watermark before, once over those it has now; the difference is the change.
 */

import { outboxRows, type OutboxRow } from './effects.ts'
import { Facts } from './facts.ts'
import { dueOf, Fold, freshProfile } from './fold.ts'
import type { ProfileImage } from './images.ts'
import { diff, type Reason, type Rows } from './rows.ts'
import { placeStreams } from './streams.ts'
import { tabulate, type Tabulated } from './tabulate.ts'
import type { Turn } from './turn.ts'
import type { SupersededBecause } from './warehouse.ts'

/** What the batch does to a profile. */
type Touch = {
  /** New rows that are its own now. */
  added: number[]
  /** Streams of rows it had, has or gets. */
  streams: Set<string>
  /** Why it must be folded again; null while it can be continued. */
  again: 'late_event' | 'identity' | null
}

export class Profiles {
  readonly #turn: Turn
  readonly #touched = new Map<string, Touch>()
  /** Timeouts that this batch makes the earliest of their profiles. */
  readonly timers: { dueAt: number[]; profileId: string[] } = { dueAt: [], profileId: [] }

  constructor(turn: Turn) {
    this.#turn = turn
  }

  #touch(profileId: string): Touch {
    let touch = this.#touched.get(profileId)
    if (touch === undefined) {
      touch = { added: [], streams: new Set(), again: null }
      this.#touched.set(profileId, touch)
    }
    return touch
  }

  /** The stream was continued: its new rows are all there is. */
  gain(stream: string): void {
    const { newRows, after, events } = this.#turn
    for (const row of newRows.get(stream) ?? []) {
      if (!this.#turn.isRelevant(row)) continue
      const touch = this.#touch(after.profile[row] as string)
      touch.added.push(row)
      touch.streams.add(events.stream[row] as string)
    }
  }

  /** The stream was derived again: rows may have changed hands or sessions. */
  compare(stream: string): void {
    const { before, after, oldRows } = this.#turn
    this.gain(stream)
    for (const row of oldRows.get(stream) ?? []) {
      if (!this.#turn.isRelevant(row)) continue
      const had = before.profile[row] as string
      const has = after.profile[row] as string
      if (had !== has) {
        this.#again(had, stream, 'identity')
        this.#again(has, stream, 'identity')
      } else if (before.session[row] !== after.session[row]) {
        this.#again(has, stream, 'late_event')
      }
    }
  }

  #again(profileId: string, stream: string, reason: 'late_event' | 'identity'): void {
    const touch = this.#touch(profileId)
    touch.streams.add(stream)
    if (touch.again !== 'identity') touch.again = reason
  }

  /** Folds everything touched and every timeout that has come due. */
  async fold(): Promise<OutboxRow[]> {
    const { images, warehouse, watermarkBefore, watermark } = this.#turn
    if (watermark !== null && watermark !== watermarkBefore) {
      for (const due of await warehouse.due(watermarkBefore, watermark)) this.#touch(due)
    }
    await images.profile.load(this.#touched.keys())
    const again: string[] = []
    const onward: string[] = []
    for (const [profileId, touch] of this.#touched) {
      touch.added.sort(this.#turn.events.inOrder)
      if (touch.again === null && this.#isLate(profileId, touch)) touch.again = 'late_event'
      ;(touch.again === null ? onward : again).push(profileId)
    }
    const continued = this.#continue(onward)
    const refolded = await this.#foldAgain(again)
    return outboxRows(this.#turn, continued, refolded)
  }

  #isLate(profileId: string, touch: Touch): boolean {
    const image = this.#turn.images.profile.get(profileId)
    const first = touch.added[0]
    if (image === undefined || first === undefined) return false
    const { events } = this.#turn
    if ((events.occurredAt[first] as number) < image.state.decidedUpTo) return true
    return image.last !== null && !events.isAfter(first, image.last)
  }

  #continue(profileIds: readonly string[]): Tabulated {
    const turn = this.#turn
    const { machines } = turn.compiled
    const facts = new Facts()
    const fold = new Fold(machines, turn.events, turn.codes, facts)
    for (const profileId of profileIds) {
      const { added, streams } = this.#touch(profileId)
      const image = turn.images.profile.get(profileId)
      if (
        added.length === 0 &&
        (image === undefined || image.due > (turn.watermark ?? -Infinity))
      ) {
        continue
      }
      const state = image?.state ?? freshProfile(machines)
      fold.run(profileId, state, added, turn.watermark)
      const last = added[added.length - 1]
      this.#keep(image, {
        profileId,
        last: last === undefined ? (image?.last ?? null) : turn.events.place(last),
        streams: [...new Set([...(image?.streams ?? []), ...streams])],
        due: dueOf(state),
        state,
      })
    }
    const tables = tabulate(facts, turn.events, turn.after.session)
    for (const table of ['transition', 'state', 'cycle', 'rejection'] as const) {
      appendAll(turn.change(table).inserts, tables[table])
    }
    const { supersedes } = turn.change('state')
    for (const key of tables.endedStays) {
      supersedes.keys.push(key)
      supersedes.because.push('progress')
    }
    return tables
  }

  async #foldAgain(profileIds: readonly string[]): Promise<{ was: Tabulated; is: Tabulated }> {
    const turn = this.#turn
    const { machines } = turn.compiled
    const streamsOf = new Map<string, Set<string>>()
    for (const profileId of profileIds) {
      const image = turn.images.profile.get(profileId)
      streamsOf.set(
        profileId,
        new Set([...(image?.streams ?? []), ...this.#touch(profileId).streams]),
      )
    }
    await placeStreams(turn, new Set([...streamsOf.values()].flatMap((streams) => [...streams])))
    const facts = { was: new Facts(), is: new Facts() }
    const folds = {
      was: new Fold(machines, turn.events, turn.codes, facts.was),
      is: new Fold(machines, turn.events, turn.codes, facts.is),
    }
    for (const [profileId, streams] of streamsOf) {
      const rows = [...streams].flatMap((stream) => turn.rowsOf(stream))
      rows.sort(turn.events.inOrder)
      const isOwn = (owners: string[]) => (row: number) =>
        turn.isRelevant(row) && owners[row] === profileId
      const had = rows.filter((row) => !turn.isNew(row)).filter(isOwn(turn.before.profile))
      const has = rows.filter(isOwn(turn.after.profile))
      folds.was.run(profileId, freshProfile(machines), had, turn.watermarkBefore)
      const state = freshProfile(machines)
      folds.is.run(profileId, state, has, turn.watermark)
      const last = has[has.length - 1]
      this.#keep(turn.images.profile.get(profileId), {
        profileId,
        last: last === undefined ? null : turn.events.place(last),
        streams: [...new Set(has.map((row) => turn.events.stream[row] as string))],
        due: dueOf(state),
        state,
      })
    }
    const was = tabulate(facts.was, turn.events, turn.before.session)
    const is = tabulate(facts.is, turn.events, turn.after.session)
    for (const table of ['transition', 'state', 'cycle', 'rejection'] as const) {
      diff(was[table], is[table], turn.change(table), this.#reason)
    }
    return { was, is }
  }

  #keep(before: ProfileImage | undefined, image: ProfileImage): void {
    this.#turn.images.profile.put(image.profileId, image)
    if (image.due === Infinity || image.due === before?.due) return
    this.timers.dueAt.push(image.due)
    this.timers.profileId.push(image.profileId)
  }

  /** A stay that merely ended has made progress; else the reason is the profile's. */
  readonly #reason: Reason = (before, row, after, newRow): SupersededBecause => {
    const isEnding =
      before.table === 'state' && newRow >= 0 && before.column('exited_at')[row] === null
    if (isEnding && hasOnlyEnded(before, row, after, newRow)) return 'progress'
    const profileId = before.column('profile_id')[row] as string
    return this.#touch(profileId).again ?? 'late_event'
  }
}

function hasOnlyEnded(before: Rows, row: number, after: Rows, newRow: number): boolean {
  return ['visit', 'entered_at', 'state'].every(
    (name) => before.column(name)[row] === after.column(name)[newRow],
  )
}

function appendAll(to: Rows, from: Rows): void {
  for (let row = 0; row < from.count; row++) to.addFrom(from, row)
}
