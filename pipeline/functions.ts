/**
 * The deployed entry points, for Functions Framework.
 *
 * - `ingest` takes a Pub/Sub message and lands it as it is, for `advance` to apply; it answers once
 *   it is on record. Invocations in flight share one write.
 * - `advance` (HTTP) and `advance-event` (CloudEvent) apply what has landed, in micro-batches,
 *   until nothing is left or time is up. When nothing has landed they write nothing.
 *
 * A function that fails is called again by whoever called it: everything here may be repeated.
 * Settings are environment variables, read at the first invocation: DESIRE_PATH_WAREHOUSE,
 * DESIRE_PATH_DEFINITIONS, DESIRE_PATH_EFFECTS, DESIRE_PATH_ADVANCE_SECONDS.
 */

import { cloudEvent, http } from '@google-cloud/functions-framework'
import { now } from './base/clock.ts'
import {
  DEFINITIONS_DEFAULT,
  pubsubOf,
  secondsOf,
  WAREHOUSE_DEFAULT,
  warehouseToFeed,
} from './config.ts'
import { openEngine, type Engine } from './runtime.ts'
import { messageOf, UserError } from './base/errors.ts'
import { landedSource, messageOfBody } from './io/inbox-source.ts'
import { log, logRetry } from './base/log.ts'
import { retrying } from './base/retry.ts'
import { run, type RunReport } from './run.ts'
import { SharedWrite } from './io/inbox-writer.ts'
import type { Warehouse } from './warehouse/warehouse.ts'

const ADVANCE_SECONDS_DEFAULT = '50'
const PATIENCE = { onRetry: logRetry }

/** What an instance keeps between invocations. */
type Opened = { warehouse: Warehouse; write: SharedWrite; engine: Engine | null }

let opened: Promise<Opened> | null = null
let advancing: Promise<RunReport> | null = null

cloudEvent('ingest', async (event: { data?: unknown }) => {
  // A message without data is not recognised by the framework: it gives the request's body.
  const body = event.data ?? event
  const message = messageOfBody(body, now())
  if (message === null) throw new UserError('the request holds no Pub/Sub message with an id')
  const { write } = await instance()
  await write.land(message)
})

http('advance', async (_request, response) => {
  try {
    const { batches, read, landed, duplicates, refused } = await advance()
    response.json({ batches, read, landed, duplicates, refused })
  } catch (thrown) {
    log('ERROR', 'advance failed', { fault: messageOf(thrown) })
    response.status(500).send(messageOf(thrown))
  }
})

cloudEvent('advance-event', async () => {
  await advance()
})

/** Closes what the invocations so far have opened; the next one opens it again. */
export async function closeInstance(): Promise<void> {
  const closing = opened
  opened = null
  const { warehouse, engine } = (await closing) ?? {}
  await engine?.close()
  await warehouse?.close()
}

function instance(): Promise<Opened> {
  opened ??= openInstance().catch((thrown: unknown) => {
    opened = null
    throw thrown
  })
  return opened
}

async function openInstance(): Promise<Opened> {
  const warehouse = warehouseToFeed(process.env['DESIRE_PATH_WAREHOUSE'] ?? WAREHOUSE_DEFAULT)
  await retrying('opening', () => warehouse.open(), PATIENCE)
  return { warehouse, write: new SharedWrite(warehouse, PATIENCE), engine: null }
}

/** One run at a time: who comes while it is under way gets its report. */
function advance(): Promise<RunReport> {
  advancing ??= applyLanded().finally(() => (advancing = null))
  return advancing
}

async function applyLanded(): Promise<RunReport> {
  const seconds = process.env['DESIRE_PATH_ADVANCE_SECONDS'] ?? ADVANCE_SECONDS_DEFAULT
  const signal = AbortSignal.timeout(secondsOf('DESIRE_PATH_ADVANCE_SECONDS', seconds))
  const kept = await instance()
  const { warehouse } = kept
  try {
    kept.engine ??= await openEngine(warehouse, engineSettings(), PATIENCE)
    return await run({
      ...kept.engine,
      ...PATIENCE,
      source: landedSource(warehouse, signal),
      warehouseUrl: warehouse.url,
      watermark: null,
      onBatch: ({ batches, read, landed }) => log('INFO', 'committed', { batches, read, landed }),
      signal,
    })
  } catch (thrown) {
    // Another writer may have gone on: the next invocation starts from what is committed then.
    await kept.engine?.close()
    kept.engine = null
    throw thrown
  }
}

function engineSettings() {
  const effects = process.env['DESIRE_PATH_EFFECTS']
  return {
    definitionsDir: process.env['DESIRE_PATH_DEFINITIONS'] ?? DEFINITIONS_DEFAULT,
    format: undefined,
    effects: effects === undefined ? undefined : pubsubOf('DESIRE_PATH_EFFECTS', effects),
  }
}
