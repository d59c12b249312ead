/**
 * The deployed entry points, for Functions Framework.
 *
 * - `ingest` takes a Pub/Sub message and lands it as it is, but for plain values of hashed
 *   namespaces, for `advance` to apply; it answers once it is on record. Invocations in flight share one write.
 * - `advance` (HTTP) and `advance-event` (CloudEvent) apply what has landed, in micro-batches,
 *   until nothing is left or time is up. When nothing has landed they write nothing.
 *
 * All three are registered as HTTP functions: the framework answers a request that is not a
 * CloudEvent with an HTML page, and these answer with one line of JSON.
 *
 * A function that fails is called again by whoever called it: everything here may be repeated.
 * Settings are environment variables, read at the first invocation: DESIRE_PATH_WAREHOUSE,
 * DESIRE_PATH_DEFINITIONS, DESIRE_PATH_EFFECTS, DESIRE_PATH_ADVANCE_SECONDS.
 */

import { http, type Request, type Response } from '@google-cloud/functions-framework'
import { now } from './base/clock.ts'
import {
  DEFINITIONS_DEFAULT,
  pubsubOf,
  secondsOf,
  WAREHOUSE_DEFAULT,
  warehouseToFeed,
} from './config.ts'
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

/** What an instance keeps between invocations. */
type Opened = {
  warehouse: Warehouse
  write: SharedWrite
  /** A message without plain values of hashed namespaces. */
  redacted: (message: LandedMessage) => LandedMessage
  engine: Engine | null
}

let opened: Promise<Opened> | null = null
let advancing: Promise<RunReport> | null = null

http(
  'ingest',
  answering('ingest', async (request) => {
    const body: unknown = request.body
    // In structured mode the message is the event's data; in binary mode, and pushed, the body.
    const message = messageOfBody(membersOf(body)['data'] ?? body, now())
    if (message === null) {
      throw new BadRequest(
        'the body holds no Pub/Sub message with an id: {"message":{"messageId":…}}',
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
      throw new BadRequest('the request holds neither a CloudEvent nor a Pub/Sub message')
    }
    await advance()
  }),
)

/** A request that its sender must change. */
class BadRequest extends Error {}

/**
 * Answers POST requests: 200 with what `work` returns as JSON, or 204; 400 for a bad request, 500
 * for any other failure, each with one line of JSON. Other methods get 405.
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
  const redacted = await landingOf(warehouse, engineSettings().definitionsDir)
  return { warehouse, write: new SharedWrite(warehouse, PATIENCE), redacted, engine: null }
}

/** One run at a time: who comes while it is under way gets its report. */
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
