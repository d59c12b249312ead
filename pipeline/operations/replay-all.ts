/**
 * The stored events once more, from the beginning, under other definitions, into a warehouse of
 * their own. Nothing is published: its outbox is never read.
 *
 * It is done in two steps, by the stages of every run. First whose the events are: the ordinary
 * pipeline, in event order, with no journey to fold. Then the journeys of each profile, all its
 * events at once (`refold.ts`), which several threads may do. Memory is bounded by the batches and
 * parts on the way.
 *
 * A recomputation that was interrupted goes on where it was: what has landed there is dropped as a
 * duplicate, and a profile that has been folded is not folded again. What has landed here since is
 * processed at the end, as a run would.
 */

import { Pipeline, type Extent } from '../microbatch/pipeline.ts'
import { emptyBatch } from '../decode/event-batch.ts'
import { HOUR, now } from '../base/clock.ts'
import type { Definitions } from '../definition/load.ts'
import { progressOf, refold, type Spread } from './replay-journeys.ts'
import {
  countOf,
  decodeStored,
  landedDecoder,
  lineOf,
  rangesOf,
  STORED_COLUMNS,
  STORED_EVENTS_MAX,
  STORED_UNITS_MAX,
  type Range,
} from './stored-events.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

const ORIGIN = 'stored events'
/** What the fold is of, in the other warehouse. */
export const ALL_JOURNEYS = 'all journeys'

export type Recomputation = Spread & {
  /** Open; only read. */
  warehouse: Warehouse
  /** Open: empty, or left by an interrupted recomputation under the same definitions. */
  scratch: Warehouse
  definitions: Definitions
  /** Told of every batch and part: how many events are done in this step, of how many. */
  onBatch?: OnBatch | undefined
}

/** `total` is the step's. */
export type OnBatch = (done: number, total: number, step: 'people' | 'journeys') => void

/**
 * False when the other warehouse has events that are not here: it was left by a recomputation of
 * events that are gone. Throws a `UserError` when an event cannot be read back.
 */
export async function recompute(parts: Recomputation): Promise<boolean> {
  const { scratch, onBatch } = parts
  const before = await progressOf(scratch)
  const isSound = before !== null || (await pass(parts, 'people'))
  const { watermark } = await scratch.open()
  await refold({
    ...parts,
    source: scratch,
    target: scratch,
    watermark,
    within: null,
    hasMemory: true,
    label: ALL_JOURNEYS,
    onPart: (done, total) => onBatch?.(done, total, 'journeys'),
  })
  return before === null ? isSound : pass(parts, 'everything')
}

/** Reads all stored events and processes those that are not there yet; false, see `recompute`. */
async function pass(parts: Recomputation, extent: Extent): Promise<boolean> {
  const { warehouse, scratch, definitions, onBatch } = parts
  const { watermark } = await warehouse.open()
  const pipeline = await Pipeline.open(scratch, definitions, { extent })
  const decoder = landedDecoder(definitions.identity, pipeline.compiled.operandPaths)
  const { ranges, total } = await hoursOf(warehouse)
  let read = 0
  let nameless = 0
  let committed = Promise.resolve()
  try {
    for await (const lines of linesInOrder(warehouse, ranges)) {
      const receivedAt = now()
      const text = new TextEncoder().encode(lines.join('\n'))
      const batch = decodeStored(decoder, text, receivedAt)
      nameless += batch.refusals.length
      const delivery = { origin: ORIGIN, receivedAt }
      ;({ committed } = await pipeline.begin({ ...batch, refusals: [] }, delivery))
      read += lines.length
      onBatch?.(read, total, 'people')
    }
  } finally {
    await committed.catch(() => undefined)
  }
  const nothing = emptyBatch(pipeline.compiled.namespaces.length)
  await pipeline.advance(nothing, { origin: ORIGIN, receivedAt: now(), watermark })
  return (await countOf(scratch)) === read - nameless
}

/** Event time, cut between hours. */
function hoursOf(warehouse: Warehouse): Promise<{ ranges: Range<number>[]; total: number }> {
  const counted = warehouse.stream(
    `select max(occurred_at) as bound, count(*) as events from events
     group by div(unix_micros(occurred_at), ${HOUR}) order by bound`,
  )
  return rangesOf<number>(counted, null)
}

/** All events in event order, a line each, as many at a time as go into a batch. */
async function* linesInOrder(
  warehouse: Warehouse,
  ranges: readonly Range<number>[],
): AsyncGenerator<string[]> {
  let lines: string[] = []
  let units = 0
  for await (const rows of inOrder(warehouse, ranges)) {
    for (const row of rows) {
      const line = lineOf(row)
      lines.push(line)
      units += line.length
      if (lines.length < STORED_EVENTS_MAX && units < STORED_UNITS_MAX) continue
      yield lines
      lines = []
      units = 0
    }
  }
  if (lines.length > 0) yield lines
}

/** All events, in event order. */
async function* inOrder(
  warehouse: Warehouse,
  ranges: readonly Range<number>[],
): AsyncGenerator<Row[]> {
  for (const { after, upTo } of ranges) {
    const isAfter = after === null ? 'true' : `occurred_at > timestamp_micros(${after})`
    const isUpTo = upTo === null ? 'true' : `occurred_at <= timestamp_micros(${upTo})`
    yield* warehouse.stream(
      `select ${STORED_COLUMNS.join(', ')} from events where ${isAfter} and ${isUpTo}
       order by occurred_at, ordinal, event_id`,
    )
  }
}
