/**
 * The deployed entry points, for Functions Framework.
 *
 * - `ingest` stores a Pub/Sub message in the inbox as it is, except for plain values of hashed
 *   namespaces. It responds after the message is stored. Concurrent invocations share one write.
 * - `advance` (HTTP) and `advance-event` (CloudEvent) apply the inbox in micro-batches until it is
 *   empty or the time is up. They write nothing if the inbox is empty.
 *
 * All three are registered as HTTP functions: the framework responds to a request that is not a
 * CloudEvent with an HTML page, and these respond with one line of JSON.
 *
 * Failed invocations are retried by their caller, so every step can be repeated safely. Settings
 * are environment variables, read at the first invocation: DESIRE_PATH_WAREHOUSE,
 * DESIRE_PATH_DEFINITIONS, DESIRE_PATH_EFFECTS, DESIRE_PATH_ADVANCE_SECONDS.
 */

import { http, type Request, type Response } from '@google-cloud/functions-framework'
import { now } from './base/clock.ts'
import { DEFINITIONS_DEFAULT, pubsubOf, secondsOf, warehouseToFeed } from './config.ts'
import { WAREHOUSE_DEFAULT } from './warehouse-url.ts'
import { isObject } from './base/json.ts'
import { landingOf, openEngine, type Engine } from './runtime.ts'
import { messageOf } from './base/errors.ts'
import { landedSource, messageOfBody } from './io/inbox-source.ts'
import { log, logRetry } from './base/log.ts'
import { retrying } from './base/retry.ts'
import { run, type RunReport } from './run.ts'
import { SharedWrite } from './io/inbox-writer.ts'
import type { LandedMessage, Warehouse } from './warehouse/warehouse.ts'

const ADVANCE_SECONDS_DEFAULT = '50'
const PATIENCE = { onRetry: logRetry }

/** Resources that an instance keeps between invocations. */
type Opened = {
  warehouse: Warehouse
  write: SharedWrite
  /** Replaces plain values of hashed namespaces in a message. */
  redacted: (message: LandedMessage) => LandedMessage
  engine: Engine | null
}

let opened: Promise<Opened> | null = null
let advancing: Promise<RunReport> | null = null

http(
  'ingest',
  answering('ingest', async (request) => {
    const body: unknown = request.body
    // In structured mode the message is in `data`; in binary mode and in pushes it is the body.
    const message = messageOfBody(membersOf(body)['data'] ?? body, now())
    if (message === null) {
      throw new BadRequest(
        'the request body is not a Pub/Sub message with an id: send {"message":{"messageId":…}}',
      )
    }
    const { write, redacted } = await instance()
    await write.land(redacted(message))
  }),
)

http(
  'advance',
  answering('advance', async () => {
    const { batches, read, landed, duplicates, refused } = await advance()
    return { batches, read, landed, duplicates, refused }
  }),
)

http(
  'advance-event',
  answering('advance-event', async (request) => {
    const members = membersOf(request.body)
    const isEvent = request.get('ce-id') !== undefined || 'specversion' in members
    if (!isEvent && !('message' in members)) {
      throw new BadRequest('the request body is neither a CloudEvent nor a Pub/Sub message')
    }
    await advance()
  }),
)

/** Client error: repeating the same request fails again. */
class BadRequest extends Error {}

/**
 * Handles POST requests. Responds 200 with the JSON that `work` returns, or 204; 400 for a bad
 * request and 500 for any other failure, each with one line of JSON. Other methods get 405.
 */
function answering(
  name: string,
  work: (request: Request) => Promise<object | void>,
): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    if (request.method !== 'POST') {
      const error = `${name} takes POST requests, not ${request.method}`
      response.set('Allow', 'POST').status(405).json({ error })
      return
    }
    try {
      const answer = await work(request)
      if (answer === undefined) response.status(204).end()
      else response.json(answer)
    } catch (thrown) {
      const error = messageOf(thrown)
      const isBad = thrown instanceof BadRequest
      log(isBad ? 'WARNING' : 'ERROR', `${name} failed`, { fault: error })
      response.status(isBad ? 400 : 500).json({ error })
    }
  }
}

function membersOf(body: unknown): { [member: string]: unknown } {
  return isObject(body) ? body : {}
}

/** Closes the resources of earlier invocations; the next invocation opens them again. */
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
  const redacted = await landingOf(warehouse, engineSettings().definitionsDir)
  return { warehouse, write: new SharedWrite(warehouse, PATIENCE), redacted, engine: null }
}

/** Runs one at a time: a call during a run returns the report of that run. */
function advance(): Promise<RunReport> {
  advancing ??= applyLanded().finally(() => (advancing = null))
  return advancing
}

async function openEngineAloud(warehouse: Warehouse): Promise<Engine> {
  const engine = await openEngine(warehouse, engineSettings(), PATIENCE)
  for (const warning of engine.warnings) log('WARNING', warning)
  return engine
}

async function applyLanded(): Promise<RunReport> {
  const seconds = process.env['DESIRE_PATH_ADVANCE_SECONDS'] ?? ADVANCE_SECONDS_DEFAULT
  const signal = AbortSignal.timeout(secondsOf('DESIRE_PATH_ADVANCE_SECONDS', seconds))
  const kept = await instance()
  const { warehouse } = kept
  try {
    const engine = (kept.engine ??= await openEngineAloud(warehouse))
    return await run({
      ...engine,
      ...PATIENCE,
      source: landedSource(warehouse, signal),
      warehouseUrl: warehouse.url,
      watermark: null,
      onBatch: ({ batches, read, landed }) => log('INFO', 'committed', { batches, read, landed }),
      signal,
    })
  } catch (thrown) {
    // Another writer may have committed: the next invocation starts from that commit.
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
