/**
 * `npm start -- [options] [FILE…|-]`: events in, journeys out. Without a file, a sample.
 *
 * With `--source` it reads a subscription instead, until it is stopped: see `worker.ts`. Otherwise
 * it prints one screen of what was found. Exit 0 when all input was processed; refused lines are
 * counted and kept as dead letters, and are no error. Ctrl-C finishes the batch at hand.
 */

import {
  BATCH_SECONDS_DEFAULT,
  BACKLOG_BATCH_SIZE,
  BATCH_SIZE_DEFAULT,
  batchSizeOf,
  batchWaitOf,
  DEFINITIONS_DEFAULT,
  FORMATS,
  formatOf,
  pubsubOf,
  stateDirOf,
  warehouseToFeed,
  watermarkOf,
} from '../../pipeline/config.ts'
import { openEngine } from '../../pipeline/runtime.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { fileSource } from '../../pipeline/io/file-source.ts'
import { run, type RunReport } from '../../pipeline/run.ts'
import { interruption, warehouseCommand } from '../cli/command.ts'
import { showWarnings } from '../cli/definitions.ts'
import { limitsOf, withLimits, type LimitOptions } from '../cli/health.ts'
import { listeningOf } from '../worker/metrics.ts'
import { startProgress } from '../cli/progress.ts'
import { sampleSource } from '../sample/sample.ts'
import { screen } from '../cli/screen.ts'

type Options = LimitOptions & {
  warehouse: string
  format?: string
  batchSize?: string
  batchSeconds: string
  source?: string
  effects?: string
  metrics?: string
  watermark?: string
  definitions: string
}

const BATCH_SIZES = `${BATCH_SIZE_DEFAULT}, growing to ${BACKLOG_BATCH_SIZE} in a file`

export const program = warehouseCommand('npm start', 'Turns product events into customer journeys.')
  .argument('[files...]', 'NDJSON files, - for standard input; none: the bundled sample')
  .option('--format <format>', `wire format: ${FORMATS.join(', ')} (default: by each line's shape)`)
  .option('--source <url>', 'a subscription to read instead, pubsub:PROJECT/SUBSCRIPTION')
  .option('--batch-size <events>', `events per micro-batch (default: ${BATCH_SIZES})`)
  .option('--batch-seconds <s>', 'a --source batch waits so long', String(BATCH_SECONDS_DEFAULT))
  .option('--effects <url>', 'a topic that effects go to, pubsub:PROJECT/TOPIC')
  .option('--metrics <port>', 'a --source worker tells of itself at [HOST:]PORT, over HTTP')
  .option('--watermark <instant>', 'decide timeouts up to this instant; RFC 3339, or now')
  .option('--definitions <dir>', 'identity, sessions, events and journeys', DEFINITIONS_DEFAULT)

withLimits(program).action(start)

async function start(files: string[], options: Options): Promise<void> {
  const warehouse = warehouseToFeed(options.warehouse)
  const linesMax = batchSizeOf(options.batchSize ?? String(BATCH_SIZE_DEFAULT))
  const backlogLinesMax = options.batchSize === undefined ? BACKLOG_BATCH_SIZE : linesMax
  const waitMs = batchWaitOf(options.batchSeconds)
  const watermark = options.watermark === undefined ? null : watermarkOf(options.watermark)
  const telling = tellingOf(options)
  const settings = {
    definitionsDir: options.definitions,
    format: options.format === undefined ? undefined : formatOf(options.format),
    effects: options.effects === undefined ? undefined : pubsubOf('--effects', options.effects),
    stateDir: stateDirOf(warehouse),
  }
  if (options.source !== undefined) {
    const subscription = pubsubOf('--source', options.source)
    if (files.length > 0 || watermark !== null) {
      throw new UserError('--source goes with neither files nor --watermark: leave them out', 2)
    }
    const { work } = await import('../worker/worker.ts')
    const bounds = { messagesMax: linesMax, waitMs }
    return work(warehouse, { ...settings, ...bounds, ...telling, subscription })
  }
  const signal = interruption(() => process.stderr.write('\nfinishing the batch at hand …\n'))
  const source =
    files.length === 0
      ? sampleSource(linesMax)
      : await fileSource(files, { linesMax, backlogLinesMax, signal })
  const isTerminal = process.stderr.isTTY === true
  try {
    const engine = await openEngine(warehouse, settings, { signal })
    showWarnings(engine.warnings)
    for (const { kind, id, version } of engine.pipeline.waiting) {
      process.stderr.write(
        `${kind} ${id} ${version} is not live; this run goes on under what is: ` +
          `npm run replay -- --${kind} ${id}, then npm run release -- promote ${id} ${version}\n`,
      )
    }
    const { journeys } = engine.definitions
    const progress = startProgress(isTerminal)
    let report: RunReport
    try {
      report = await run({
        ...engine,
        source,
        warehouseUrl: warehouse.url,
        watermark,
        onBatch: (soFar, chunk) => progress.update(soFar, chunk),
        signal,
      })
    } finally {
      progress.stop()
      // What is shown takes memory that the thread has until then.
      await engine.close()
    }
    const look = { isColoured: process.stdout.isTTY === true, columns: process.stdout.columns }
    process.stdout.write(await screen(warehouse, report, journeys, look))
    if (signal.aborted) {
      throw new UserError('interrupted; what is committed stays, run it again for the rest')
    }
  } finally {
    await warehouse.close()
  }
}

/** Where a worker tells of itself, and what is well. */
function tellingOf({ metrics, source, ...options }: Options) {
  const limits = limitsOf(options)
  if (metrics !== undefined && source === undefined) {
    throw new UserError('--metrics goes with --source: a run over files tells at its end', 2)
  }
  if (metrics === undefined && Object.values(limits).some(Number.isFinite)) {
    throw new UserError('--max-… are the limits of /healthz: they go with --metrics PORT', 2)
  }
  return { listening: metrics === undefined ? null : listeningOf(metrics), limits }
}
