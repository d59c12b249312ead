/**
 * `npm start -- [options] [FILE…|-]`: derives journeys from events. Without a file it reads standard
 * input if it has bytes, or else the sample, which has its own warehouse.
 *
 * With `--source` it reads a subscription until it is stopped: see `worker/worker.ts`. Otherwise it
 * prints a summary. Exit 0: all input was processed; refused lines are kept as dead letters and are
 * not errors. Ctrl-C finishes the current batch.
 */

import {
  BATCH_SECONDS_DEFAULT,
  BACKLOG_BATCH_SIZE,
  BATCH_SIZE_DEFAULT,
  batchSizeOf,
  batchWaitOf,
  FORMATS,
  formatOf,
  pubsubOf,
  stateDirOf,
  warehouseToFeed,
  watermarkOf,
} from '../../pipeline/config.ts'
import { WAREHOUSE_DEFAULT } from '../../pipeline/warehouse-url.ts'
import { openEngine, type EngineSettings } from '../../pipeline/runtime.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { counted } from '../../pipeline/base/text.ts'
import { fileSource, type FileBounds } from '../../pipeline/io/file-source.ts'
import type { Source } from '../../pipeline/io/source.ts'
import type { Definitions } from '../../pipeline/definition/load.ts'
import { run, type RunOptions, type RunReport } from '../../pipeline/run.ts'
import { bulkDecision, runBulk } from '../../pipeline/run-bulk.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { command, warehouseOption } from '../cli/command.ts'
import { isThere } from '../cli/default-warehouse.ts'
import { interruption } from '../cli/interrupt.ts'
import { showWarnings } from '../cli/definitions.ts'
import { DEFINITIONS_HELP, folderOf, remember } from '../cli/definitions-folder.ts'
import { inputOf, type Input } from '../cli/input.ts'
import { refusalLines } from '../cli/likely-cause.ts'
import { closeUsed, noteDefault } from '../cli/new-warehouse.ts'
import { nextLine, setPresent } from '../cli/next-command.ts'
import { note, say } from '../cli/output.ts'
import { startProgress } from '../cli/progress.ts'
import { screen } from '../cli/screen.ts'
import { sampleSource } from '../sample/sample.ts'
import { limitsOf, withLimits, type LimitOptions } from '../cli/health.ts'
import { listeningOf } from '../worker/listening.ts'

type Options = LimitOptions & {
  warehouse?: string
  format?: string
  batchSize?: string
  batchSeconds: string
  source?: string
  effects?: string
  metrics?: string
  watermark?: string
  definitions?: string
}

const BATCH_SIZES = `${BATCH_SIZE_DEFAULT}, growing to ${BACKLOG_BATCH_SIZE} in a file`

const described = warehouseOption(
  command('npm start', 'Turns product events into customer journeys.'),
)
  .argument('[files...]', 'NDJSON files, - for standard input (default: the bundled sample)')
  .option(
    '--format <format>',
    `wire format: ${FORMATS.join(', ')} (default: detected for each line)`,
  )
  .option('--source <url>', 'subscription to read instead of files, pubsub:PROJECT/SUBSCRIPTION')
  .option('--batch-size <events>', `events per micro-batch (default: ${BATCH_SIZES})`)
  .option(
    '--batch-seconds <s>',
    'longest wait of a --source batch, seconds',
    String(BATCH_SECONDS_DEFAULT),
  )
  .option('--effects <url>', 'topic that effects are published to, pubsub:PROJECT/TOPIC')
  .option('--metrics <port>', 'serve Prometheus metrics of a --source worker on [HOST:]PORT')
  .option('--watermark <instant>', 'decide timeouts up to this instant, RFC 3339 or now')
  .option('--definitions <dir>', DEFINITIONS_HELP)

export const program = withLimits(described).action(start)

async function start(files: string[], options: Options): Promise<void> {
  const linesMax = batchSizeOf(options.batchSize ?? String(BATCH_SIZE_DEFAULT))
  const backlogLinesMax = options.batchSize === undefined ? BACKLOG_BATCH_SIZE : linesMax
  const waitMs = batchWaitOf(options.batchSeconds)
  const watermark = options.watermark === undefined ? null : watermarkOf(options.watermark)
  const metrics = metricsOf(options)
  const settings = {
    format: options.format === undefined ? undefined : formatOf(options.format),
    effects: options.effects === undefined ? undefined : pubsubOf('--effects', options.effects),
  }
  if (options.source !== undefined) {
    const subscription = pubsubOf('--source', options.source)
    if (files.length > 0 || watermark !== null) {
      throw new UserError(
        '--source cannot be combined with files or --watermark: leave them out',
        2,
      )
    }
    const { work } = await import('../worker/worker.ts')
    const { definitions } = options
    const bounds = { messagesMax: linesMax, waitMs }
    const warehouse = warehouseToFeed(options.warehouse ?? WAREHOUSE_DEFAULT)
    const stateDir = stateDirOf(warehouse)
    const where = { definitions, stateDir, subscription }
    return work(warehouse, { ...settings, ...where, ...bounds, ...metrics })
  }
  if (options.warehouse !== undefined) warehouseToFeed(options.warehouse)
  const input = await inputOf(files, options.warehouse, watermark !== null)
  setPresent({ warehouse: input.warehouse, definitions: options.definitions })
  const warehouse = warehouseToFeed(input.warehouse)
  const isNew = options.warehouse === undefined && !isThere(input.warehouse)
  const signal = interruption(() => process.stderr.write('\nfinishing the current batch …\n'))
  const source = await sourceOf(input, { linesMax, backlogLinesMax, signal })
  try {
    if (options.definitions === undefined) await warehouse.open()
    const definitionsDir = await folderOf(warehouse, options.definitions)
    const here = { definitionsDir, stateDir: stateDirOf(warehouse) }
    const isSized = options.batchSize !== undefined
    const fed = await feed(warehouse, source, { ...settings, ...here, isSized }, watermark, signal)
    const { report } = fed
    const isIdle = report.read === 0 && (isNew || signal.aborted)
    if (!isIdle) await printScreen(warehouse, source, fed)
    else if (!signal.aborted) note(`${source.origin} has no lines: ${warehouse.url} is not created`)
    if (isNew && report.landed === 0 && report.refused > 0) noteDefault(warehouse.url)
    if (signal.aborted) noteInterrupt(report)
  } finally {
    await closeUsed(warehouse, isNew)
  }
}

function sourceOf(input: Input, bounds: FileBounds): Source | Promise<Source> {
  if (input.kind === 'files') return fileSource(input.files, bounds)
  if (input.kind === 'sample') return sampleSource(bounds.linesMax)
  return { origin: 'watermark', async *[Symbol.asyncIterator]() {} }
}

type Fed = { report: RunReport; definitions: Definitions }

/** Runs over the source to its end, and returns its counts and the live definitions. */
async function feed(
  warehouse: Warehouse,
  source: Source,
  settings: EngineSettings & { isSized: boolean },
  watermark: number | null,
  signal: AbortSignal,
): Promise<Fed> {
  const engine = await openEngine(warehouse, settings, { signal })
  const { definitions } = engine
  const progress = startProgress(process.stderr.isTTY === true)
  try {
    showWarnings(engine.warnings)
    await remember(warehouse, settings.definitionsDir)
    noteWaiting(engine.pipeline.waiting, definitions.journeys)
    const runOf = settings.isSized ? run : runOrLoad
    const report = await runOf({
      ...engine,
      source,
      warehouseUrl: warehouse.url,
      watermark,
      onBatch: (soFar, chunk) => progress.update(soFar, chunk),
      signal,
    })
    return { report, definitions }
  } finally {
    progress.stop()
    // Releases the memory of the decoder thread before the summary is computed.
    await engine.close()
  }
}

/** Loads in bulk if the rule of `run-bulk.ts` holds, which it prints; otherwise runs micro-batches. */
async function runOrLoad(options: RunOptions): Promise<RunReport> {
  const { isBulk, why } = await bulkDecision(options)
  if (why !== null) note(why)
  if (!isBulk) return run(options)
  const loaded = await runBulk(options)
  if (typeof loaded !== 'string') return loaded
  note(loaded)
  return run(options)
}

async function printScreen(warehouse: Warehouse, { origin }: Source, run: Fed): Promise<void> {
  const { person, device } = run.definitions.identity
  const refused = await refusalLines(warehouse, run.report, [...person, ...device], origin)
  const look = { isColoured: process.stdout.isTTY === true, columns: process.stdout.columns }
  say(refused.map((line, i) => (i === 0 ? line : `  ${line}`)))
  process.stdout.write(await screen(warehouse, run.report, run.definitions.journeys, look))
}

/** Notes the versions in the folder that are not live, with the commands to build and promote them. */
function noteWaiting(
  waiting: readonly { kind: string; id: string; version: number }[],
  live: readonly { id: string; version: number }[],
): void {
  for (const { kind, id, version } of waiting) {
    const now = live.find((one) => one.id === id)?.version
    note(
      `${kind} ${id} ${version} of the definitions is not live` +
        `${now === undefined ? '' : `, ${now} is`}; this run uses what is live. To build it: ` +
        `${nextLine('replay', `--${kind}`, id)}; to make it live: ` +
        nextLine('release', 'promote', id, String(version)),
    )
  }
}

/** Prints that all input is committed, or throws an error with the counts and the next command. */
function noteInterrupt({ batches, landed, isComplete }: RunReport): void {
  if (isComplete) {
    note('interrupted in the last batch: all input is committed, and there is nothing left to do')
    return
  }
  const args = process.argv.slice(2)
  const committed = `${counted(batches, 'batch', 'batches')} with ${counted(landed, 'event')}`
  throw new UserError(
    batches === 0
      ? 'interrupted before the first batch was committed; to run it again'
      : `interrupted: ${committed} ${batches === 1 ? 'is' : 'are'} committed; the same line reads ` +
          'the rest, and drops these events as duplicates',
    1,
    { script: 'start', args },
  )
}

/** Returns the metrics address and the limits of `/healthz`. */
function metricsOf({ metrics, source, ...options }: Options) {
  const limits = limitsOf(options)
  if (metrics !== undefined && source === undefined) {
    throw new UserError(
      '--metrics needs --source: a run over files prints its counts at the end',
      2,
    )
  }
  if (metrics === undefined && Object.values(limits).some(Number.isFinite)) {
    throw new UserError('--max-… are limits of /healthz: add --metrics PORT, or leave them out', 2)
  }
  return { listening: metrics === undefined ? null : listeningOf(metrics), limits }
}
