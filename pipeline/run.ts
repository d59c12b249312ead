/**
 * The run: pull → decode → advance → commit → publish → acknowledge, one micro-batch a turn.
 *
 * Start reading here, then `advance.ts`, which is one turn. Decoding is done in a worker thread,
 * one batch ahead. Each batch continues from what the one before it commits, so everything after
 * decoding is sequential, but that a file's next batch is derived while the warehouse is still
 * writing the one before. Messages are acknowledged after their batch is committed and not
 * before; a run that is interrupted finishes the batch at hand. What fails only for now is tried
 * again with patience, see `retry.ts`.
 */

import type { Outcome, Pipeline } from './advance.ts'
import { emptyBatch, type EventBatch } from './batch.ts'
import { elapsedMs, now } from './clock.ts'
import type { Messages } from './messages.ts'
import { retrying, type Retry } from './retry.ts'
import type { Chunk, Source } from './source.ts'

/** What a run did, for the screen. */
export type RunReport = {
  read: number
  landed: number
  duplicates: number
  /** Events of erased persons, dropped. */
  erased: number
  refused: number
  /** Refused lines by reason. */
  reasons: Map<string, number>
  batches: number
  elapsedMs: number
  warehouseUrl: string
}

/** Turns chunks of bytes into batches; `decoder.ts` does it in a worker thread. */
export type Decode = (
  chunk: Uint8Array,
  receivedAt: number,
  messages?: Messages,
) => Promise<EventBatch>

export type RunOptions = {
  pipeline: Pipeline
  source: Source
  decode: Decode
  warehouseUrl: string
  /** The watermark asked for, microseconds. It is applied with the last batch: a watermark ahead
   * of the events would decide timeouts that events still to come would prevent, and undo them. */
  watermark: number | null
  /** Told of every committed batch, and how long its commit took from the decoded batch on. */
  onBatch?: (report: RunReport, chunk: Chunk, commitMs: number) => void
  /** Does every turn: whoever else asks the warehouse may do so between two. */
  inTurn?: (turn: () => Promise<void>) => Promise<void>
  /** Publishes what has been committed to the outbox; called after a batch that did. */
  publish?: (() => Promise<void>) | undefined
  /** Told of every fault of the outside that is tried again. */
  onRetry?: (retry: Retry) => void
  /** Aborted: the batch at hand is finished, then the run ends. */
  signal?: AbortSignal
}

type Decoding = { chunk: Chunk; receivedAt: number; batch: Promise<EventBatch> }

/** Processes everything the source gives. */
export async function run(options: RunOptions): Promise<RunReport> {
  const { pipeline, source, decode, signal, inTurn = (work) => work() } = options
  const startedAt = elapsedMs()
  const report: RunReport = {
    read: 0,
    landed: 0,
    duplicates: 0,
    erased: 0,
    refused: 0,
    reasons: new Map(),
    batches: 0,
    elapsedMs: 0,
    warehouseUrl: options.warehouseUrl,
  }
  // Of a live source others ask between turns, and what is published is asked for.
  const isAhead =
    pipeline.answersMeanwhile && source.isLive !== true && options.publish === undefined
  const chunks = source[Symbol.asyncIterator]()
  const pull = async (): Promise<Decoding | null> => {
    if (signal?.aborted) return null
    const { done, value } = await chunks.next()
    if (done) return null
    const receivedAt = now()
    const batch = decode(value.bytes, receivedAt, value.messages)
    batch.catch(() => undefined)
    return { chunk: value, receivedAt, batch }
  }
  const turn = async ({ chunk, receivedAt, batch }: Decoding, isLast: boolean) => {
    const watermark = isLast && !signal?.aborted ? options.watermark : null
    const { origin, applying = [] } = chunk
    const delivery = { origin, receivedAt, watermark, applying }
    const events = await batch
    const begunAt = elapsedMs()
    const begin = async () => {
      const begun = await pipeline.begin(events, delivery)
      if (!isAhead) await begun.committed
      return begun
    }
    const { outcome, committed } = await retrying('commit', begin, options)
    return async (before: Promise<void>) => {
      await committed
      await before
      const commitMs = elapsedMs() - begunAt
      add(report, outcome)
      if (outcome.effects > 0) await options.publish?.()
      await chunk.acknowledge()
      report.elapsedMs = elapsedMs() - startedAt
      options.onBatch?.(report, chunk, commitMs)
    }
  }
  let ended = Promise.resolve()
  try {
    let current = await pull()
    while (current !== null) {
      const next = pull()
      next.catch(() => undefined)
      const decoding = current
      const isLast = source.isLive !== true && (await next) === null
      await inTurn(async () => {
        const end = await turn(decoding, isLast)
        const before = ended
        ended = end(before)
        ended.catch(() => undefined)
        await (isAhead ? before : ended)
      })
      current = await next
    }
    await ended
    if (report.batches === 0 && source.isLive !== true && !signal?.aborted) {
      const delivery = { origin: source.origin, receivedAt: now(), watermark: options.watermark }
      add(report, await pipeline.advance(emptyBatch(pipeline.compiled.namespaces.length), delivery))
    }
  } finally {
    await ended.catch(() => undefined)
    await chunks.return?.()
  }
  return report
}

function add(report: RunReport, outcome: Outcome): void {
  report.batches += 1
  report.read += outcome.read
  report.landed += outcome.landed
  report.duplicates += outcome.duplicates
  report.erased += outcome.erased
  for (const [reason, count] of outcome.refused) {
    report.refused += count
    report.reasons.set(reason, (report.reasons.get(reason) ?? 0) + count)
  }
}
