/**
 * Run loop: pull → decode → derive → commit → publish → acknowledge, one micro-batch after another.
 *
 * Start reading here, then `microbatch/pipeline.ts`, which makes one micro-batch. A worker thread
 * decodes one batch ahead. Each batch continues from the commit before it, so everything after
 * decoding is sequential; a file's next batch is derived while the warehouse still writes the one
 * before. Messages are acknowledged only after their batch is committed. An interrupted run
 * finishes the current batch. Transient errors are retried, see `base/retry.ts`.
 */

import PQueue from 'p-queue'

import type { Decode } from './decode/decoder-thread.ts'
import type { Outcome } from './microbatch/landed-batch.ts'
import type { Begun, Delivery, Pipeline } from './microbatch/pipeline.ts'
import { emptyBatch, type EventBatch } from './decode/event-batch.ts'
import { elapsedMs, now } from './base/clock.ts'
import { retrying, type Retry } from './base/retry.ts'
import { nextDecoding, type Decoding } from './io/decode-ahead.ts'
import type { Chunk, Source } from './io/source.ts'

/** Counts of a run. */
export type RunReport = {
  read: number
  landed: number
  duplicates: number
  /** Events of erased persons that were dropped. */
  erased: number
  refused: number
  /** Refused lines by reason. */
  reasons: Map<string, number>
  batches: number
  /** Whether all input was read and its last batch was committed with the requested watermark. */
  isComplete: boolean
  elapsedMs: number
  warehouseUrl: string
}

export type RunOptions = {
  pipeline: Pipeline
  source: Source
  decode: Decode
  warehouseUrl: string
  /** Requested watermark, microseconds. Applied with the last batch: a watermark ahead of the
   * events would fire timeouts that later events prevent. */
  watermark: number | null
  /** Called after every commit with the milliseconds since the batch was decoded. */
  onBatch?: (report: RunReport, chunk: Pick<Chunk, 'progress'>, commitMs: number) => void
  /** Wraps each micro-batch, so that others can query the warehouse in between. */
  inTurn?: (turn: () => Promise<void>) => Promise<void>
  /** Publishes the outbox; called after a batch that wrote to it. */
  publish?: (() => Promise<void>) | undefined
  /** Called before each retry of a transient error. */
  onRetry?: (retry: Retry) => void
  /** When aborted, the run finishes the current batch and ends. */
  signal?: AbortSignal
}

/** Processes everything that the source yields. Rejects when a batch fails for good; what was
 * committed before stays committed and acknowledged. */
export function run(options: RunOptions): Promise<RunReport> {
  return new Run(options).toEnd()
}

class Run {
  readonly #options: RunOptions
  /** Whether a batch starts while the previous commit is in flight. Off for a live source, because
   * others query between micro-batches, and when publishing, which reads the outbox. */
  readonly #isAhead: boolean
  readonly #startedAt = elapsedMs()
  readonly #report: RunReport
  readonly #commits = new CommitQueue()

  constructor(options: RunOptions) {
    const { pipeline, source, publish, warehouseUrl } = options
    this.#options = options
    this.#isAhead = pipeline.answersMeanwhile && source.isLive !== true && publish === undefined
    this.#report = freshReport(warehouseUrl)
  }

  async toEnd(): Promise<RunReport> {
    const { pipeline, source, signal, inTurn = (work) => work() } = this.#options
    const chunks = source[Symbol.asyncIterator]()
    try {
      let current = await nextDecoding(chunks, this.#options)
      while (current !== null) {
        const next = nextDecoding(chunks, this.#options)
        next.catch(() => undefined)
        const decoding = current
        const isLast = source.isLive !== true && (await next) === null
        await inTurn(() => this.#process(decoding, isLast))
        current = await next
      }
      await this.#commits.drained()
      if (this.#report.batches === 0 && source.isLive !== true && !signal?.aborted) {
        const nothing = emptyBatch(pipeline.compiled.namespaces.length)
        const delivery = this.#delivery({ origin: source.origin, receivedAt: now() }, true)
        addOutcome(this.#report, await pipeline.advance(nothing, delivery))
      }
    } finally {
      await this.#commits.drained().catch(() => undefined)
      await chunks.return?.()
    }
    return this.#report
  }

  async #process({ chunk, receivedAt, batch }: Decoding, isLast: boolean): Promise<void> {
    const delivery = this.#delivery({ ...chunk, receivedAt }, isLast)
    const events = await batch
    const begunAt = elapsedMs()
    const begun = await this.#begin(events, delivery)
    // A commit copies the lines that it contains, and is not built again.
    chunk.reuse?.(events.raw)
    this.#commits.add(() => this.#finish(begun, chunk, begunAt))
    await (this.#isAhead ? this.#commits.hasRoom() : this.#commits.drained())
  }

  #delivery({ origin, receivedAt, applying = [] }: Delivery, isLast: boolean): Delivery {
    const { signal, watermark } = this.#options
    const isComplete = isLast && !signal?.aborted
    this.#report.isComplete = isComplete
    return {
      origin,
      receivedAt,
      watermark: isComplete ? watermark : null,
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

  /** Waits for the commit, then publishes, acknowledges and reports. */
  async #finish({ outcome, committed }: Begun, chunk: Chunk, begunAt: number): Promise<void> {
    await committed
    const commitMs = elapsedMs() - begunAt
    addOutcome(this.#report, outcome)
    if (outcome.effects > 0) await this.#options.publish?.()
    await chunk.acknowledge()
    this.#report.elapsedMs = elapsedMs() - this.#startedAt
    this.#options.onBatch?.(this.#report, chunk, commitMs)
  }
}

/** Commits in order, one at a time. After a failure the rest is skipped. */
class CommitQueue {
  readonly #queue = new PQueue({ concurrency: 1 })
  #failure: { thrown: unknown } | null = null

  add(work: () => Promise<void>): void {
    void this.#queue.add(async () => {
      if (this.#failure !== null) return
      try {
        await work()
      } catch (thrown) {
        this.#failure = { thrown }
      }
    })
  }

  /** Resolves when no commit is queued behind the current one; rejects if one has failed. */
  async hasRoom(): Promise<void> {
    await this.#queue.onSizeLessThan(1)
    this.#check()
  }

  /** Resolves when every commit is done; rejects if one has failed. */
  async drained(): Promise<void> {
    await this.#queue.onIdle()
    this.#check()
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure.thrown
  }
}

/** Returns the report of a run before its first batch. */
export function freshReport(warehouseUrl: string): RunReport {
  return {
    read: 0,
    landed: 0,
    duplicates: 0,
    erased: 0,
    refused: 0,
    reasons: new Map(),
    batches: 0,
    isComplete: false,
    elapsedMs: 0,
    warehouseUrl,
  }
}

/** Adds the outcome of a batch. */
export function addOutcome(report: RunReport, outcome: Outcome): void {
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
