/**
 * Bulk run: one commit with everything that a source yields (see `bulk/bulk-load.ts`).
 *
 * It is taken if the input has more events than the warehouse, can be read again and has from
 * `BULK_BYTES_MIN` to `BULK_BYTES_MAX`, and no batch size is set. Smaller inputs are one or two
 * micro-batches anyway. The largest are as large as was measured: five million events, 2.5 GiB, took
 * 1.8 GB of memory.
 * A load reads the identifiers of all stored events, so an input with fewer events is left to
 * micro-batches.
 */

import {
  bulkLoad,
  ComponentTooLarge,
  type DecodedChunk,
  type LoadLimits,
} from './bulk/bulk-load.ts'
import { defaultThreads } from './bulk/part-pool.ts'
import { elapsedMs, now } from './base/clock.ts'
import { counted } from './base/text.ts'
import { nextDecoding } from './io/decode-ahead.ts'
import type { Chunk } from './io/source.ts'
import { addOutcome, freshReport, type RunOptions, type RunReport } from './run.ts'

const MIB = 1 << 20
export const BULK_BYTES_MIN = 16 * MIB
export const BULK_BYTES_MAX = 2_560 * MIB

/** Bytes of an input that count as one event, where it is compared with stored events. */
const EVENT_BYTES = 512

/** Whether a run is a bulk run, and a line that states why, or why it is not; null where micro-batches
 * are the rule. */
export type BulkDecision = { isBulk: boolean; why: string | null }

export async function bulkDecision({ pipeline, source }: RunOptions): Promise<BulkDecision> {
  const { bytes } = source
  const isMicro = { isBulk: false, why: null }
  if (!pipeline.canLoad || bytes === undefined || bytes < BULK_BYTES_MIN) return isMicro
  const stored = await pipeline.storedEvents()
  if (stored * EVENT_BYTES >= bytes) return isMicro
  if (bytes > BULK_BYTES_MAX) {
    const most = `a bulk load takes at most ${BULK_BYTES_MAX / MIB} MiB`
    const why = `no bulk load: the input has ${Math.round(bytes / MIB)} MiB, and ${most}`
    return { isBulk: false, why: `${why}; micro-batches load it` }
  }
  const input = `the input has ${Math.round(bytes / MIB)} MiB`
  const why =
    stored === 0
      ? `the warehouse is empty and ${input}`
      : `${input}, more than the ${counted(stored, 'event')} of the warehouse`
  return { isBulk: true, why: `bulk load: ${why}; it is committed at once, at the end` }
}

/** Loads everything. Returns the reason if the input must be processed by micro-batches instead:
 * nothing was written then. */
export async function runBulk(
  options: RunOptions,
  limits: LoadLimits = {},
): Promise<RunReport | string> {
  const { pipeline, source, signal, publish } = options
  const startedAt = elapsedMs()
  const report = freshReport(options.warehouseUrl)
  const acknowledged: Chunk[] = []
  const onChunk = (chunk: Chunk, read: number) => {
    acknowledged.push(chunk)
    report.read += read
    progress(chunk.progress.done / 2, chunk.progress.total)
  }
  const progress = (done: number, total: number | null) => {
    report.elapsedMs = elapsedMs() - startedAt
    options.onBatch?.(report, { progress: { done, total } }, 0)
  }
  try {
    const outcome = await pipeline.load(now(), (start) =>
      bulkLoad(decodedChunks(options, onChunk), {
        threads: defaultThreads(),
        ...limits,
        start,
        origin: source.origin,
        watermark: () => {
          report.isComplete = signal?.aborted !== true
          return report.isComplete ? options.watermark : null
        },
        onPart: (done, total) => progress((total + done) / 2, total),
      }),
    )
    report.read = 0
    addOutcome(report, outcome)
    if (outcome.effects > 0) await publish?.()
    for (const chunk of acknowledged) await chunk.acknowledge()
    report.elapsedMs = elapsedMs() - startedAt
    return report
  } catch (thrown) {
    if (!(thrown instanceof ComponentTooLarge)) throw thrown
    return (
      `no bulk load: identifiers connect ${counted(thrown.events, 'event')}, too many to derive ` +
      'at once (a line counts once for each 2 KiB); micro-batches load them'
    )
  }
}

/** Yields the decoded chunks of the source. The next chunk is decoded meanwhile. */
async function* decodedChunks(
  options: RunOptions,
  onChunk: (chunk: Chunk, read: number) => void,
): AsyncGenerator<DecodedChunk> {
  const chunks = options.source[Symbol.asyncIterator]()
  try {
    let next = nextDecoding(chunks, options)
    for (;;) {
      const current = await next
      if (current === null) return
      next = nextDecoding(chunks, options)
      next.catch(() => undefined)
      const { chunk, receivedAt } = current
      const batch = await current.batch
      yield { batch, origin: chunk.origin, receivedAt }
      chunk.reuse?.(batch.raw)
      onChunk(chunk, batch.read)
    }
  } finally {
    await chunks.return?.()
  }
}
