/**
 * Full replay: processes all stored events again under other definitions, into a scratch warehouse.
 * The outbox of that warehouse is never published.
 *
 * It has two steps. The first resolves identity and sessions with the ordinary pipeline, in event
 * order and without journeys. The second folds the journeys of each profile over all its events
 * (`replay-journeys.ts`), in parallel if asked. Memory is bounded by the batches and parts in
 * flight.
 *
 * An interrupted replay resumes: events that have landed in the scratch warehouse are dropped as
 * duplicates, and folded profiles are skipped. Events that arrive meanwhile are processed at the
 * end, as in a run.
 */

import { Pipeline, type Extent } from '../microbatch/pipeline.ts'
import { emptyBatch } from '../decode/event-batch.ts'
import { HOUR, now } from '../base/clock.ts'
import type { Definitions } from '../definition/load.ts'
import { progressOf, replayJourneys, type Spread } from './replay-journeys.ts'
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
/** Label of the fold in the scratch warehouse. */
export const ALL_JOURNEYS = 'all journeys'

export type FullReplay = Spread & {
  /** Open; only read. */
  warehouse: Warehouse
  /** Open: empty, or left by an interrupted replay under the same definitions. */
  scratch: Warehouse
  definitions: Definitions
  /** Called after every batch and part. */
  onBatch?: OnBatch | undefined
}

/** `done` of `total` events of the step are processed. */
export type OnBatch = (done: number, total: number, step: 'people' | 'journeys') => void

/**
 * Replays all events. Returns false if the scratch warehouse has events that the source lacks: it
 * was left by a replay of events that were erased since. Throws a `UserError` if an event cannot be
 * decoded.
 */
export async function replayEverything(parts: FullReplay): Promise<boolean> {
  const { scratch, onBatch } = parts
  const before = await progressOf(scratch)
  const isSound = before !== null || (await pass(parts, 'people'))
  const { watermark } = await scratch.open()
  await replayJourneys({
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

/** Processes the stored events that the scratch warehouse lacks. Returns false as `replayEverything` does. */
async function pass(parts: FullReplay, extent: Extent): Promise<boolean> {
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

/** Returns ranges of event time, cut at full hours. */
function hoursOf(warehouse: Warehouse): Promise<{ ranges: Range<number>[]; total: number }> {
  const counted = warehouse.stream(
    `select max(occurred_at) as bound, count(*) as events from events
     group by div(unix_micros(occurred_at), ${HOUR}) order by bound`,
  )
  return rangesOf<number>(counted, null)
}

/** Yields all events in event order as lines, one batch at a time. */
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

/** Yields all events in event order. */
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
