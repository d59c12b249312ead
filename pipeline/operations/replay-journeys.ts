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

import { now } from '../base/clock.ts'
import { CommitBuilder } from '../microbatch/commit-builder.ts'
import { compile } from '../definition/compile.ts'
import type { Definitions } from '../definition/load.ts'
import { assert } from '../base/errors.ts'
import type { Part } from './fold-partition.ts'
import { startFoldPool } from './fold-pool.ts'
import { firstEntries } from '../warehouse/release-log.ts'
import {
  lineOf,
  rangesOf,
  STORED_COLUMNS,
  STORED_EVENTS_MAX,
  STORED_UNITS_MAX,
  type Range,
} from './stored-events.ts'
import { binderOf, marksOf } from '../warehouse/parameters.ts'
import { isInside } from '../warehouse/takeover-sql.ts'
import type { Commit, EventWindow, Head, Row, Warehouse } from '../warehouse/warehouse.ts'

/** Parallelism of a fold. It does not affect rows. */
export type Spread = {
  /** Threads. With 1, this thread folds; with more, all threads except this one. */
  parallel?: number
  /** Events after which a part ends, at the next profile. */
  partEvents?: number
}

export type JourneyReplay = Spread & {
  /** Open; only read. */
  source: Warehouse
  /** Open; may be the source itself. */
  target: Warehouse
  definitions: Definitions
  watermark: number | null
  /** Only profiles with an event in this window. */
  within: EventWindow | null
  /** Write state and timers too, not only rows. */
  hasMemory: boolean
  /** Identifies the fold, so that only the same fold resumes it. */
  label: string
  /** Called after every part with the number of folded events. */
  onPart?: ((done: number, total: number) => void) | undefined
}

/** Position of a fold. */
export type Progress = { label: string; upTo: string | null; isDone: boolean }

/** Returns the position recorded by the last commit of a fold, or null before the first. */
export async function progressOf(target: Warehouse): Promise<Progress | null> {
  const [last] = await target.query(
    "select origin from batches where origin like '{%' order by batch desc limit 1",
  )
  return last === undefined ? null : (JSON.parse(last['origin'] as string) as Progress)
}

/** Folds the profiles that are not folded yet. */
export async function replayJourneys(parts: JourneyReplay): Promise<void> {
  const { target, definitions, label, hasMemory, parallel = 1 } = parts
  const { partEvents = STORED_EVENTS_MAX, onPart } = parts
  const before = await progressOf(target)
  assert(before === null || before.label === label, 'only the same fold resumes')
  if (before?.isDone === true) return
  const heads = new Heads(await target.open(), parts.watermark)
  if (heads.isNew) await target.commit(onRecord(definitions, heads.next()))
  const asked = new Question(parts)
  const { ranges, total } = await asked.ranges(before?.upTo ?? null)
  const pool = startFoldPool({ definitions, hasMemory }, parallel)
  const waiting: { events: number; commit: Promise<Commit> }[] = []
  let done = 0
  let committed = Promise.resolve()
  /** Starts the oldest waiting commit; meanwhile the next part is folded. */
  const settle = async () => {
    const first = waiting.shift()
    if (first === undefined) return
    const commit = await first.commit
    await committed
    committed = target.commit(commit).then(() => {
      done += first.events
      onPart?.(done, total)
    })
    committed.catch(() => undefined)
  }
  try {
    for await (const cut of partsOf(asked.rows(ranges), partEvents)) {
      const { lines, profileIds, sessionIds } = cut
      const origin = originOf({ label, upTo: profileIds.at(-1) as string, isDone: false })
      const commit = pool.fold({ lines, profileIds, sessionIds, head: heads.next(), origin })
      commit.catch(() => undefined)
      waiting.push({ events: profileIds.length, commit })
      if (waiting.length > parallel) await settle()
    }
    while (waiting.length > 0) await settle()
    await committed
  } finally {
    await committed.catch(() => undefined)
    await pool.close()
  }
  const end = new CommitBuilder()
  const note = { origin: originOf({ label, upTo: null, isDone: true }), ...NOTHING_READ }
  await target.commit(end.build(heads.next(), note))
}

const NOTHING_READ = { read: 0, duplicates: 0, rejected: 0 }

function originOf(progress: Progress): string {
  return JSON.stringify(progress)
}

/** Numbers the commits ahead. A part gets its number when it is cut. */
class Heads {
  readonly isNew: boolean
  #last: Head

  constructor(last: Head, watermark: number | null) {
    this.isNew = last.batch === 0
    this.#last = { ...last, watermark }
  }

  next(): Head {
    const { batch, recordedAt, watermark } = this.#last
    this.#last = {
      batch: batch + 1,
      recordedAt: Math.max(now(), recordedAt + 1),
      watermark,
    }
    return this.#last
  }
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
  readonly #conditions: string[] = []
  readonly #parameters: (string | number)[] = []

  constructor({ source, definitions, within }: JourneyReplay) {
    this.#source = source
    const { eventCodes, needsEveryEvent } = compile(definitions)
    if (!needsEveryEvent) {
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

  /** Yields events with their profile and session, by profile. */
  async *rows(ranges: readonly Range<string>[]): AsyncGenerator<Row[]> {
    const columns = [...STORED_COLUMNS, 'profile_id', 'session_id'].join(', ')
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

type Cut = Pick<Part, 'lines' | 'profileIds' | 'sessionIds'>

/** Cuts rows that are sorted by profile into parts of whole profiles. */
async function* partsOf(chunks: AsyncIterable<Row[]>, partEvents: number): AsyncGenerator<Cut> {
  let lines: string[] = []
  let profileIds: string[] = []
  let sessionIds: string[] = []
  let units = 0
  const take = (): Cut => {
    const cut = { lines: new TextEncoder().encode(lines.join('\n')), profileIds, sessionIds }
    lines = []
    profileIds = []
    sessionIds = []
    units = 0
    return cut
  }
  for await (const rows of chunks) {
    for (const row of rows) {
      const profileId = row['profile_id'] as string
      const isFull = lines.length >= partEvents || units >= STORED_UNITS_MAX
      if (isFull && profileId !== profileIds.at(-1)) yield take()
      const line = lineOf(row)
      lines.push(line)
      units += line.length
      profileIds.push(profileId)
      sessionIds.push(row['session_id'] as string)
    }
  }
  if (lines.length > 0) yield take()
}
