/**
 * Metrics of the worker over HTTP. `GET /metrics` serves the numbers of `npm run status` and the
 * worker's own for Prometheus. `GET /healthz` returns 200, or 503 with the exceeded limits.
 *
 * The warehouse is read between batches, never during one, and only if something was committed
 * since the last reading. A request waits briefly for the current batch and otherwise gets the last
 * reading. Ages are always current.
 */

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Histogram } from 'prom-client'
import { SECOND } from '../../pipeline/base/clock.ts'
import { messageOf, UserError } from '../../pipeline/base/errors.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import type { Exclusive } from './exclusive.ts'
import { EXPOSITION_TYPE, expositionOf, type Metric } from './exposition.ts'
import type { Listening } from './listening.ts'
import { readHealth, statusOf, type Limits, type Reading, type Status } from '../cli/health.ts'

/** Longest wait of a request for the current batch, milliseconds. */
const PATIENCE_MS = 2_000
const COMMIT_BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

export class Metrics {
  readonly #warehouse: Warehouse
  readonly #limits: Limits
  readonly #turns: Exclusive
  readonly #inFlight: () => number
  readonly #commits = new Histogram({
    name: 'desire_path_commit_seconds',
    help: 'Time from a decoded batch to its commit, including retries.',
    buckets: COMMIT_BOUNDS,
    registers: [],
  })
  #reading: Reading | null = null
  #isRead = false
  #server: Server | null = null

  constructor(parts: {
    warehouse: Warehouse
    limits: Limits
    turns: Exclusive
    /** Returns the number of delivered messages that are not acknowledged. */
    inFlight: () => number
  }) {
    this.#warehouse = parts.warehouse
    this.#limits = parts.limits
    this.#turns = parts.turns
    this.#inFlight = parts.inFlight
  }

  /** Counts a committed batch. */
  committed(elapsedMs: number): void {
    this.#commits.observe(elapsedMs / 1_000)
    this.#isRead = false
  }

  /** Starts the server and resolves to its address. Throws a `UserError` if it cannot listen. */
  async listen({ host, port }: Listening): Promise<string> {
    const server = createServer((request, response) => {
      void this.#answer(request.url ?? '/').then(({ code, type, text }) => {
        response.writeHead(code, { 'content-type': type }).end(text)
      })
    })
    try {
      await once(server.listen(port, host), 'listening')
    } catch (thrown) {
      throw new UserError(`--metrics ${host}:${port} is not available: ${messageOf(thrown)}`)
    }
    this.#server = server
    const { address, port: given } = server.address() as AddressInfo
    return `http://${address.includes(':') ? `[${address}]` : address}:${given}`
  }

  /** Closes the server and waits for the current reading of the warehouse. */
  async close(): Promise<void> {
    this.#server?.close()
    this.#server?.closeAllConnections()
    await this.#turns.run(() => Promise.resolve())
  }

  async #answer(url: string): Promise<{ code: number; type: string; text: string }> {
    const json = 'application/json'
    const [path] = url.split('?')
    if (path !== '/metrics' && path !== '/healthz') {
      return { code: 404, type: 'text/plain', text: 'not found: use /metrics or /healthz\n' }
    }
    try {
      const reading = await this.#latest()
      const status = statusOf(reading, this.#limits)
      if (path === '/metrics') {
        return { code: 200, type: EXPOSITION_TYPE, text: await this.#textOf(reading, status) }
      }
      const { unhealthy } = status
      const code = unhealthy.length === 0 ? 200 : 503
      return { code, type: json, text: `${JSON.stringify({ unhealthy })}\n` }
    } catch (thrown) {
      const unhealthy = [`the warehouse cannot be read: ${messageOf(thrown)}`]
      return { code: 503, type: json, text: `${JSON.stringify({ unhealthy })}\n` }
    }
  }

  async #latest(): Promise<Reading> {
    const read = this.#turns.run(async () => {
      if (this.#isRead && this.#reading !== null) return this.#reading
      this.#reading = await readHealth(this.#warehouse)
      this.#isRead = true
      return this.#reading
    })
    const known = this.#reading
    if (known === null) return read
    read.catch(() => undefined)
    return Promise.race([read, sleep(PATIENCE_MS, known, { ref: false })])
  }

  #textOf({ watermark }: Reading, status: Status): Promise<string> {
    const metric = (
      type: Metric['type'],
      name: string,
      help: string,
      value: Metric['value'],
    ): Metric => ({ type, name: `desire_path_${name}`, help, value })
    const [lag, quiet] = [status.lag_ms, status.quiet_ms].map((ms) =>
      ms === null ? null : ms / 1_000,
    ) as [number | null, number | null]
    const metrics = [
      metric(
        'gauge',
        'watermark_timestamp_seconds',
        'Event time up to which timeouts are decided.',
        watermark === null ? null : watermark / SECOND,
      ),
      metric('gauge', 'lag_seconds', 'How far the watermark is behind now.', lag),
      metric('gauge', 'quiet_seconds', 'Time since the last commit.', quiet),
      metric('counter', 'batches_total', 'Batches committed.', status.batches),
      metric('counter', 'events_total', 'Events read, by outcome.', {
        label: 'outcome',
        by: status.events,
      }),
      metric('gauge', 'dead_letters', 'Unresolved dead letters, by reason.', {
        label: 'reason',
        by: status.dead_letters,
      }),
      metric('gauge', 'late_corrections', 'Rows superseded in 24 hours, by reason.', {
        label: 'because',
        by: status.corrections,
      }),
      metric('gauge', 'live_version', 'Live version, by journey or funnel.', {
        label: 'id',
        by: status.live,
      }),
      metric(
        'gauge',
        'in_flight_messages',
        'Messages delivered but not acknowledged.',
        this.#inFlight(),
      ),
      metric(
        'gauge',
        'healthy',
        '1 if no limit is exceeded, otherwise 0, as /healthz.',
        status.unhealthy.length === 0 ? 1 : 0,
      ),
    ]
    return expositionOf(metrics, [this.#commits])
  }
}
