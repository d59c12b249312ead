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

import type { Decode } from './decode/decoder-thread.ts'
import type { Begun, Delivery, Outcome, Pipeline } from './microbatch/pipeline.ts'
import { emptyBatch, type EventBatch } from './decode/event-batch.ts'
import { elapsedMs, now } from './base/clock.ts'
import { retrying, type Retry } from './base/retry.ts'
import type { Chunk, Source } from './io/source.ts'

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
export function run(options: RunOptions): Promise<RunReport> {
  return new Run(options).toEnd()
}

class Run {
  readonly #options: RunOptions
  /** Whether a batch is begun while the commit before is under way. Of a live source others ask
   * between turns, and what is published is asked for. */
  readonly #isAhead: boolean
  readonly #startedAt = elapsedMs()
  readonly #report: RunReport
  /** The end of the turn before. */
  #ended: Promise<void> = Promise.resolve()

  constructor(options: RunOptions) {
    const { pipeline, source, publish, warehouseUrl } = options
    this.#options = options
    this.#isAhead = pipeline.answersMeanwhile && source.isLive !== true && publish === undefined
    this.#report = {
      read: 0,
      landed: 0,
      duplicates: 0,
      erased: 0,
      refused: 0,
      reasons: new Map(),
      batches: 0,
      elapsedMs: 0,
      warehouseUrl,
    }
  }

  async toEnd(): Promise<RunReport> {
    const { pipeline, source, signal, inTurn = (work) => work() } = this.#options
    const chunks = source[Symbol.asyncIterator]()
    try {
      let current = await this.#pull(chunks)
      while (current !== null) {
        const next = this.#pull(chunks)
        next.catch(() => undefined)
        const decoding = current
        const isLast = source.isLive !== true && (await next) === null
        await inTurn(() => this.#turn(decoding, isLast))
        current = await next
      }
      await this.#ended
      if (this.#report.batches === 0 && source.isLive !== true && !signal?.aborted) {
        const nothing = emptyBatch(pipeline.compiled.namespaces.length)
        const delivery = this.#delivery({ origin: source.origin, receivedAt: now() }, true)
        add(this.#report, await pipeline.advance(nothing, delivery))
      }
    } finally {
      await this.#ended.catch(() => undefined)
      await chunks.return?.()
    }
    return this.#report
  }

  async #pull(chunks: AsyncIterator<Chunk>): Promise<Decoding | null> {
    const { decode, signal } = this.#options
    if (signal?.aborted) return null
    const { done, value: chunk } = await chunks.next()
    if (done) return null
    const receivedAt = now()
    const batch = decode(chunk.bytes, receivedAt, chunk.messages)
    batch.catch(() => undefined)
    return { chunk, receivedAt, batch }
  }

  async #turn({ chunk, receivedAt, batch }: Decoding, isLast: boolean): Promise<void> {
    const delivery = this.#delivery({ ...chunk, receivedAt }, isLast)
    const events = await batch
    const begunAt = elapsedMs()
    const begun = await this.#begin(events, delivery)
    const before = this.#ended
    this.#ended = this.#end(before, begun, chunk, begunAt)
    this.#ended.catch(() => undefined)
    await (this.#isAhead ? before : this.#ended)
  }

  #delivery({ origin, receivedAt, applying = [] }: Delivery, isLast: boolean): Delivery {
    const { signal, watermark } = this.#options
    return {
      origin,
      receivedAt,
      watermark: isLast && !signal?.aborted ? watermark : null,
      applying,
    }
  }

  #begin(batch: EventBatch, delivery: Delivery): Promise<Begun> {
    const { pipeline } = this.#options
    const begin = async () => {
      const begun = await pipeline.begin(batch, delivery)
      if (!this.#isAhead) await begun.committed
      return begun
    }
    return retrying('commit', begin, this.#options)
  }

  /** What comes after a commit, turn by turn. The batch itself is no longer held. */
  async #end(
    before: Promise<void>,
    { outcome, committed }: Begun,
    chunk: Chunk,
    begunAt: number,
  ): Promise<void> {
    await committed
    await before
    const commitMs = elapsedMs() - begunAt
    add(this.#report, outcome)
    if (outcome.effects > 0) await this.#options.publish?.()
    await chunk.acknowledge()
    this.#report.elapsedMs = elapsedMs() - this.#startedAt
    this.#options.onBatch?.(this.#report, chunk, commitMs)
  }
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
