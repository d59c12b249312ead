/**
 * The journeys of the profiles a batch touches.
 *
 * A profile that only gains events, all after what it has folded and after every timeout decided,
 * is *continued* from its image. Any other (it lost events, got some from another profile, got a
 * late one, or an event's session changed) is *folded again*: once over the events it had, up to
 * the watermark before, once over those it has now; the difference is the change.
 */

import { outboxRows, type OutboxRow } from './outbox.ts'
import { Facts } from '../stages/journey-facts.ts'
import { Fold } from '../stages/fold-journeys.ts'
import type { ProfileImage } from './state-store.ts'
import { FunnelFacts } from '../stages/funnel-facts.ts'
import { freshFunnels, FunnelFold, funnelsDueOf } from '../stages/fold-funnels.ts'
import { dueOf, freshProfile } from '../stages/instance.ts'
import { diff, type Reason, type Rows } from './changelog.ts'
import { placeStreams } from './derive-sessions.ts'
import { tabulateFunnels } from './funnel-rows.ts'
import { tabulate, type Tabulated } from './journey-rows.ts'
import type { Turn } from './micro-batch.ts'
import type { SupersededBecause } from '../warehouse/warehouse.ts'

/** What the batch does to a profile. */
type Touch = {
  /** New rows that are its own now. */
  added: number[]
  /** Streams of rows it had, has or gets. */
  streams: Set<string>
  /** Why it must be folded again; null while it can be continued. */
  again: SupersededBecause | null
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
      const has = after.profile[row]
      if (had !== has) {
        this.#again(had, stream, 'identity')
        if (has !== undefined) this.#again(has, stream, 'identity')
      } else if (before.session[row] !== after.session[row]) {
        this.#again(has, stream, 'late_event')
      }
    }
  }

  #again(profileId: string, stream: string, reason: SupersededBecause): void {
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
    const funnels = this.#funnelFold(new Facts(), new FunnelFacts(), 'after')
    for (const [profileId, touch] of this.#touched) {
      touch.added.sort(this.#turn.events.inOrder)
      if (touch.again === null && this.#isLate(profileId, touch)) touch.again = 'late_event'
      const image = images.profile.get(profileId)
      if (touch.again === null && image !== undefined) {
        const mustFoldAgain = funnels.mustFoldAgain(image.funnels, image.last, touch.added)
        if (mustFoldAgain) touch.again = 'progress'
      }
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
    const decidedUpTo = Math.max(image.state.decidedUpTo, image.funnels.decidedUpTo)
    if ((events.occurredAt[first] as number) < decidedUpTo) return true
    return image.last !== null && !events.isAfter(first, image.last)
  }

  #continue(profileIds: readonly string[]): Tabulated {
    const turn = this.#turn
    const { machines, funnels } = turn.compiled
    const facts = new Facts()
    const found = new FunnelFacts()
    const fold = new Fold(machines, turn.events, turn.codes, facts)
    const funnelFold = this.#funnelFold(facts, found, 'after')
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
      const standing = image?.funnels ?? freshFunnels(funnels)
      const from = facts.transitions.count
      fold.run(profileId, state, added, turn.watermark)
      funnelFold.run(profileId, standing, added, from, turn.watermark)
      const last = added[added.length - 1]
      this.#keep(image, {
        profileId,
        last: last === undefined ? (image?.last ?? null) : turn.events.place(last),
        streams: [...new Set([...(image?.streams ?? []), ...streams])],
        due: Math.min(dueOf(state), funnelsDueOf(funnels, standing)),
        state,
        funnels: standing,
      })
    }
    this.#addFunnels(found)
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

  #funnelFold(facts: Facts, found: FunnelFacts, side: 'before' | 'after'): FunnelFold {
    const { compiled, events, codes, [side]: belonging } = this.#turn
    const sessionOf = belonging.session
    return new FunnelFold({ funnels: compiled.funnels, events, codes, sessionOf, facts, found })
  }

  /** What continuing found: attempts that were open have made progress. */
  #addFunnels(found: FunnelFacts): void {
    const { attempt, step, endedAttempts, endedSteps } = tabulateFunnels(found)
    for (const [rows, ended] of [
      [attempt, endedAttempts],
      [step, endedSteps],
    ] as const) {
      const { inserts, supersedes } = this.#turn.change(rows.table)
      appendAll(inserts, rows)
      for (const key of ended) {
        supersedes.keys.push(key)
        supersedes.because.push('progress')
      }
    }
  }

  async #foldAgain(profileIds: readonly string[]): Promise<{ was: Tabulated; is: Tabulated }> {
    const turn = this.#turn
    const { machines, funnels } = turn.compiled
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
    const found = { was: new FunnelFacts(), is: new FunnelFacts() }
    const funnelFolds = {
      was: this.#funnelFold(facts.was, found.was, 'before'),
      is: this.#funnelFold(facts.is, found.is, 'after'),
    }
    for (const [profileId, streams] of streamsOf) {
      const rows = [...streams].flatMap((stream) => turn.rowsOf(stream))
      rows.sort(turn.events.inOrder)
      const isOwn = (owners: string[]) => (row: number) =>
        turn.isRelevant(row) && owners[row] === profileId
      const had = rows.filter((row) => !turn.isNew(row)).filter(isOwn(turn.before.profile))
      const has = rows.filter(isOwn(turn.after.profile))
      const from = { was: facts.was.transitions.count, is: facts.is.transitions.count }
      folds.was.run(profileId, freshProfile(machines), had, turn.watermarkBefore)
      const stood = freshFunnels(funnels)
      funnelFolds.was.run(profileId, stood, had, from.was, turn.watermarkBefore)
      const state = freshProfile(machines)
      folds.is.run(profileId, state, has, turn.watermark)
      const standing = freshFunnels(funnels)
      funnelFolds.is.run(profileId, standing, has, from.is, turn.watermark)
      const last = has[has.length - 1]
      this.#keep(turn.images.profile.get(profileId), {
        profileId,
        last: last === undefined ? null : turn.events.place(last),
        streams: [...new Set(has.map((row) => turn.events.stream[row] as string))],
        due: Math.min(dueOf(state), funnelsDueOf(funnels, standing)),
        state,
        funnels: standing,
      })
    }
    const attempts = { was: tabulateFunnels(found.was), is: tabulateFunnels(found.is) }
    for (const table of ['attempt', 'step'] as const) {
      const rows = attempts.is[table]
      diff(attempts.was[table], rows, turn.change(rows.table), this.#reason)
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
