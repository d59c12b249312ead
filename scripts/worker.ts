/**
 * `npm start -- --source pubsub:PROJECT/SUBSCRIPTION`: reads a subscription until it is told to
 * stop, and says what it does as lines of JSON.
 *
 * SIGTERM and Ctrl-C end it within ten seconds and with exit code 0: the batch at hand is finished,
 * or, if that takes too long, abandoned; its messages then come again. Both are safe.
 */

import { Pipeline } from '../pipeline/advance.ts'
import { batchSizeOf, batchWaitOf, formatOf, pubsubOf, warehouseOf } from '../pipeline/config.ts'
import { startDecoder } from '../pipeline/decoder.ts'
import { loadDefinitions } from '../pipeline/definitions.ts'
import { HASH_KEY_VARIABLE } from '../pipeline/identifiers.ts'
import { log } from '../pipeline/log.ts'
import { pubsubSource } from '../pipeline/pubsub.ts'
import { retrying, type Retry } from '../pipeline/retry.ts'
import { run, type RunReport } from '../pipeline/run.ts'
import { interruption } from './command.ts'

/** A batch that takes longer than this to finish after the signal is abandoned. */
const FINISH_MS = 8_000

export type WorkerOptions = {
  source: string
  warehouse: string
  format?: string
  batchSize: string
  batchSeconds: string
  definitions: string
}

export async function work(options: WorkerOptions): Promise<void> {
  const name = pubsubOf('--source', options.source)
  const warehouse = warehouseOf(options.warehouse)
  const messagesMax = batchSizeOf(options.batchSize)
  const waitMs = batchWaitOf(options.batchSeconds)
  const format = options.format === undefined ? undefined : formatOf(options.format)
  const definitions = await loadDefinitions(options.definitions)
  const signal = interruption(() => {
    log('INFO', 'stopping: finishing the batch at hand')
    setTimeout(abandon, FINISH_MS).unref()
  })
  const onRetry = ({ what, fault, attempt, waitMs: wait_ms }: Retry) =>
    log('WARNING', `${what} failed, trying again`, { fault, attempt, wait_ms })
  const onReconnect = (fault: string) => log('WARNING', 'connection lost, opening it again', { fault })
  try {
    const pipeline = await retrying('open', () => Pipeline.open(warehouse, definitions), {
      onRetry,
      signal,
    })
    const decoder = startDecoder({
      identity: definitions.identity,
      operandPaths: pipeline.compiled.operandPaths,
      format,
      definitionsDir: options.definitions,
      hashKey: process.env[HASH_KEY_VARIABLE],
    })
    log('INFO', 'started', { source: options.source, warehouse: warehouse.url })
    try {
      const report = await run({
        pipeline,
        source: pubsubSource(name, { messagesMax, waitMs, onReconnect, signal }),
        decode: decoder.decode,
        warehouseUrl: warehouse.url,
        watermark: null,
        onBatch: (soFar) => log('INFO', 'committed', countsOf(soFar)),
        onRetry,
        signal,
      })
      log('INFO', 'stopped: all that was begun is committed', countsOf(report))
    } finally {
      await decoder.close()
    }
  } finally {
    await warehouse.close()
  }
}

function abandon(): void {
  log('WARNING', 'stopped: the batch at hand is abandoned, its messages come again')
  process.exit(0)
}

/** Counts since the start. */
function countsOf({ batches, read, landed, duplicates, refused }: RunReport) {
  return { batches, read, landed, duplicates, refused }
}
