/**
 * `npm start -- --source pubsub:PROJECT/SUBSCRIPTION`: reads a subscription until it is stopped, and
 * logs JSON lines.
 *
 * SIGTERM and Ctrl-C end it within ten seconds with exit code 0. The current batch is finished. If
 * that takes too long, it is abandoned and its messages are redelivered.
 */

import type { PubsubName } from '../../pipeline/io/pubsub-name.ts'
import { openEngine, type EngineSettings } from '../../pipeline/runtime.ts'
import { log, logRetry } from '../../pipeline/base/log.ts'
import type { OnRebuild } from '../../pipeline/state/rebuild.ts'
import { pubsubSource } from '../../pipeline/io/pubsub-source.ts'
import { run, type RunReport } from '../../pipeline/run.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { retrying } from '../../pipeline/base/retry.ts'
import { interruption } from '../cli/interrupt.ts'
import { folderOf, remember } from '../cli/definitions-folder.ts'
import { Exclusive } from './exclusive.ts'
import type { Limits } from '../cli/health.ts'
import type { Listening } from './listening.ts'
import { Metrics } from './metrics.ts'

/** Milliseconds after the signal at which an unfinished batch is abandoned. */
const FINISH_MS = 8_000

export type WorkerSettings = Omit<EngineSettings, 'definitionsDir'> & {
  /** Folder of definitions, if given. */
  definitions: string | undefined
  subscription: PubsubName
  messagesMax: number
  waitMs: number
  /** Metrics address; null for none. */
  listening: Listening | null
  limits: Limits
}

export async function work(warehouse: Warehouse, settings: WorkerSettings): Promise<void> {
  const signal = interruption(() => {
    log('INFO', 'stopping: finishing the current batch')
    setTimeout(abandon, FINISH_MS).unref()
  })
  const patience = { onRetry: logRetry, signal }
  const { subscription, messagesMax, waitMs, listening, limits } = settings
  try {
    if (settings.definitions === undefined) {
      await retrying('opening', () => warehouse.open(), patience)
    }
    const definitionsDir = await folderOf(warehouse, settings.definitions)
    const onRebuild = rebuildLogger()
    const engine = await openEngine(warehouse, { ...settings, definitionsDir, onRebuild }, patience)
    for (const warning of engine.warnings) log('WARNING', warning)
    const source = pubsubSource(subscription, {
      messagesMax,
      waitMs,
      onReconnect: (fault) => log('WARNING', 'connection lost, reconnecting', { fault }),
      signal,
    })
    const turns = new Exclusive()
    const metrics = new Metrics({ warehouse, limits, turns, inFlight: source.inFlight })
    try {
      await remember(warehouse, definitionsDir)
      const address = listening === null ? {} : { listening: await metrics.listen(listening) }
      log('INFO', 'started', { source: source.origin, warehouse: warehouse.url, ...address })
      const report = await run({
        ...engine,
        ...patience,
        source,
        warehouseUrl: warehouse.url,
        watermark: null,
        inTurn: (turn) => turns.run(turn),
        onBatch: (soFar, _chunk, commitMs) => {
          metrics.committed(commitMs)
          log('INFO', 'committed', countsOf(soFar))
        },
      })
      log('INFO', 'stopped: the last batch is committed', countsOf(report))
    } finally {
      await metrics.close()
      await engine.close()
    }
  } finally {
    await warehouse.close()
  }
}

/** Returns a function that logs how far the state store is filled, in steps of a tenth. */
function rebuildLogger(): OnRebuild {
  let logged = -1
  return (done, total) => {
    const tenth = Math.floor((10 * done) / total)
    if (tenth > logged) log('INFO', 'filling the state store', { read: done, total })
    logged = tenth
  }
}

function abandon(): void {
  log('WARNING', 'stopped: the current batch is abandoned, its messages are redelivered')
  process.exit(0)
}

/** Counts since the start. */
function countsOf({ batches, read, landed, duplicates, refused }: RunReport) {
  return { batches, read, landed, duplicates, refused }
}
