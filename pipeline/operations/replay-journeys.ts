/**
 * Journey replay: folds the journeys of all profiles again, from stored events, profiles and
 * sessions into a scratch warehouse. Works in parts of whole profiles; each part is a commit, and
 * several are folded at once.
 *
 * One query reads the events by profile, so memory is bounded by the parts in flight and by the
 * longest history of a profile. Commits are written in that order and record the last profile, so
 * an interrupted fold resumes after it. The number of threads and the size of parts do not affect
 * rows.
 */

import { CommitBuilder } from '../microbatch/commit-builder.ts'
import { compile } from '../definition/compile.ts'
import { EventColumnsBuilder } from '../decode/event-columns-builder.ts'
import { StoredDecoder } from '../decode/stored-decoder.ts'
import type { Definitions } from '../definition/load.ts'
import { assert } from '../base/errors.ts'
import {
  commitEnd,
  commitParts,
  Heads,
  NOTHING_READ,
  originOf,
  progressOf,
  type PartLabel,
  type Spread,
} from './part-commits.ts'
import type { Owners } from '../bulk/derive-part.ts'
import { startPartPool, type Cut } from '../bulk/part-pool.ts'
import { firstEntries } from '../warehouse/release-log.ts'
import {
  derivedColumns,
  derivedEvent,
  rangesOf,
  STORED_EVENTS_MAX,
  type Range,
} from './stored-events.ts'
import { binderOf, marksOf } from '../warehouse/parameters.ts'
import { isInside } from '../warehouse/takeover-sql.ts'
import type {
  Commit,
  EventWindow,
  Head,
  Row,
  StateTable,
  Warehouse,
} from '../warehouse/warehouse.ts'

export type JourneyReplay = Spread & {
  /** Open; only read. */
  source: Warehouse
  /** Open; may be the source itself. */
  target: Warehouse
  definitions: Definitions
  watermark: number | null
  /** Only profiles with an event in this window. */
  within: EventWindow | null
  /** State to write beside the rows. With history, every event is read. */
  state: readonly StateTable[]
  /** Identifies the fold, so that only the same fold resumes it. */
  label: string
  /** Called after every part with the number of folded events. */
  onPart?: ((done: number, total: number) => void) | undefined
}

/** Folds the profiles that are not folded yet. */
export async function replayJourneys(parts: JourneyReplay): Promise<void> {
  const { target, definitions, label, state, parallel = 1 } = parts
  const { partEvents = STORED_EVENTS_MAX, onPart } = parts
  const before = await progressOf(target)
  assert(before === null || before.label === label, 'only the same fold resumes')
  if (before?.isDone === true) return
  const head = await target.open()
  const heads = new Heads(head, parts.watermark)
  if (head.batch === 0) await target.commit(onRecord(definitions, heads.next()))
  const asked = new Question(parts)
  const { ranges, total } = await asked.ranges(before?.upTo ?? null)
  const pool = startPartPool({ definitions, state, hasEffects: false }, parallel)
  let done = 0
  const cuts = asked.parts(ranges, partEvents)
  await commitParts(cuts, { target, heads, pool }, (events) => {
    done += events
    onPart?.(done, total)
  })
  await commitEnd(target, heads, { label, upTo: null, isDone: true })
}

function onRecord(definitions: Definitions, head: Head): Commit {
  const builder = new CommitBuilder()
  builder.releases(firstEntries(definitions.releases))
  builder.funnels(definitions.releases, compile(definitions).funnels)
  builder.outcomes(definitions.finalStates)
  return builder.build(head, { origin: 'definitions', ...NOTHING_READ })
}

/** Query for the events that the journeys name, of the profiles in the window. */
class Question {
  readonly #source: Warehouse
  readonly #label: string
  readonly #watermark: number | null
  readonly #decoder: StoredDecoder
  readonly #conditions: string[] = []
  readonly #parameters: (string | number)[] = []

  constructor({ source, definitions, within, label, watermark, state }: JourneyReplay) {
    this.#source = source
    this.#label = label
    this.#watermark = watermark
    const { eventCodes, needsEveryEvent, operandPaths } = compile(definitions)
    this.#decoder = new StoredDecoder(definitions.identity, operandPaths)
    if (!needsEveryEvent && !state.includes('history')) {
      const names = [...eventCodes.keys()]
      this.#conditions.push(names.length === 0 ? 'false' : `name in (${marksOf(names)})`)
      this.#parameters.push(...names)
    }
    if (within === null) return
    const inside = isInside(within, binderOf(this.#parameters))
    this.#conditions.push(
      'profile_id in (select profile_id from events inner join event_profiles using (event_id) ' +
        `where ${inside})`,
    )
  }

  /** Returns ranges of the profiles after the given one. */
  ranges(after: string | null): Promise<{ ranges: Range<string>[]; total: number }> {
    const columns = 'profile_id as bound, count(*) as events'
    return rangesOf(this.#ask(columns, 'group by profile_id', { after, upTo: null }), after)
  }

  /** Yields parts of whole profiles with at least `partEvents` events, except the last. */
  async *parts(
    ranges: readonly Range<string>[],
    partEvents: number,
  ): AsyncGenerator<Cut<PartLabel>> {
    const builder = new EventColumnsBuilder(
      this.#decoder.namespaces.length,
      this.#decoder.operandCount,
    )
    let owners: Owners = { profileIds: [], sessionIds: [] }
    const take = (): Cut<PartLabel> => {
      const upTo = owners.profileIds.at(-1) as string
      const origin = originOf({ label: this.#label, upTo, isDone: false })
      const events = owners.profileIds.length
      const part = { events: [builder.take()], owners, watermark: this.#watermark }
      owners = { profileIds: [], sessionIds: [] }
      return { part, label: { origin, events }, events }
    }
    for await (const rows of this.#rows(ranges)) {
      for (const row of rows) {
        const event = derivedEvent(row, this.#decoder)
        assert(event !== null, 'an event of a profile carries an identifier')
        const profileId = row['profile_id'] as string
        const isFull = builder.count >= partEvents
        if (isFull && profileId !== owners.profileIds.at(-1)) yield take()
        builder.add(event)
        owners.profileIds.push(profileId)
        owners.sessionIds.push(row['session_id'] as string)
      }
    }
    if (builder.count > 0) yield take()
  }

  /** Yields events with their profile and session, by profile. */
  async *#rows(ranges: readonly Range<string>[]): AsyncGenerator<Row[]> {
    const columns = [...derivedColumns(this.#decoder), 'profile_id', 'session_id'].join(', ')
    for (const range of ranges) yield* this.#ask(columns, '', range)
  }

  #ask(columns: string, grouping: string, { after, upTo }: Range<string>): AsyncIterable<Row[]> {
    const conditions = [...this.#conditions]
    const parameters = [...this.#parameters]
    if (after !== null) {
      conditions.push('profile_id > ?')
      parameters.push(after)
    }
    if (upTo !== null) {
      conditions.push('profile_id <= ?')
      parameters.push(upTo)
    }
    return this.#source.stream(
      `select ${columns} from events inner join event_profiles using (event_id)` +
        `${whereOf(conditions)} ${grouping} order by profile_id`,
      parameters,
    )
  }
}

function whereOf(conditions: string[]): string {
  return conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`
}
