/**
 * Parses command-line values. Throws a `UserError` with exit code 2 for an invalid value, before
 * anything is opened.
 */

import { homedir } from 'node:os'
import { join } from 'node:path'
import type { PubsubName } from './io/pubsub-name.ts'
import { bigqueryWarehouse } from './bigquery/warehouse.ts'
import { now, parseInstant } from './base/clock.ts'
import { duckdbWarehouse, type DuckDBOptions } from './duckdb/warehouse.ts'
import { openRemoteDifference } from './duckdb/remote-difference.ts'
import { ASKING, REBUILDING, type Means } from './duckdb/resource-limits.ts'
import { removeFile } from './duckdb/rewrite-file.ts'
import { UserError } from './base/errors.ts'
import type { Scratch } from './warehouse/scratch.ts'
import { bigqueryPlaceOf, WAREHOUSE_DEFAULT } from './warehouse-url.ts'
import type { Warehouse } from './warehouse/warehouse.ts'

export const DEFINITIONS_DEFAULT = 'definitions'
export const BATCH_SIZE_DEFAULT = 20_000
/** Default batch size that the chunks of a file grow to, in events. */
export const BACKLOG_BATCH_SIZE = 130_000
const BATCH_SIZE_MAX = 1_000_000
export const BATCH_SECONDS_DEFAULT = 1
/** Longest wait for a batch to fill, seconds. Messages stay unacknowledged meanwhile. */
const BATCH_SECONDS_MAX = 300

export const FORMATS = ['native', 'segment'] as const
export type Format = (typeof FORMATS)[number]

/** Returns the existing warehouse at `duckdb:path` or `bigquery:project.dataset`. `means` limits
 * the resources of DuckDB. */
export function warehouseOf(url: string, means?: Means): Warehouse {
  return warehouseAt(url, { ifMissing: 'refuse', ...(means === undefined ? {} : { means }) })
}

/** Returns the warehouse for read-only commands: files are neither changed nor repaired. `option`
 * is the flag that the URL was given for. */
export function warehouseToRead(url: string, option?: string): Warehouse {
  return warehouseAt(url, { ifMissing: 'refuse', means: ASKING, isReader: true }, option)
}

/** Returns the warehouse for commands that write events: `open` creates it if it does not exist.
 * `:memory:` is not persisted. */
export function warehouseToFeed(url: string): Warehouse {
  return warehouseAt(url, { ifMissing: 'make' })
}

function warehouseAt(url: string, options: DuckDBOptions, option = '--warehouse'): Warehouse {
  const colon = url.indexOf(':')
  const engine = url.slice(0, colon)
  const place = url.slice(colon + 1)
  if (engine === 'duckdb' && place !== '') return duckdbWarehouse(place, { ...options, onNotice })
  if (engine === 'bigquery') return bigqueryWarehouse(bigqueryPlaceOf(url), options.ifMissing)
  throw new UserError(
    `${option} ${JSON.stringify(url)} is not a warehouse: use duckdb:PATH, for example ` +
      `${WAREHOUSE_DEFAULT}, or bigquery:PROJECT.DATASET`,
    2,
  )
}

/** Prints notices to standard error, apart from the output of the command. */
function onNotice(notice: string): void {
  process.stderr.write(`note: ${notice}\n`)
}

/** Returns the folder of the local state store: beside a DuckDB file, or for a dataset among the
 * caches of this user; undefined for a warehouse in memory. */
export function stateDirOf({ url }: Warehouse): string | undefined {
  if (url === 'duckdb::memory:') return undefined
  const path = pathOf(url)
  if (url.startsWith('duckdb:')) return `${path}.state`
  const caches = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  return join(caches, 'desire-path', `${path}.state`)
}

/** Returns the scratch file of a replay, which survives an interruption: beside the warehouse, or
 * for a dataset in the current directory. */
export function scratchOf({ url }: Warehouse): Scratch {
  const path = `${pathOf(url)}.recomputed`
  return {
    warehouse: () => duckdbWarehouse(path, { means: REBUILDING, isScratch: true }),
    openDifference: openRemoteDifference,
    discard: () => removeFile(path),
  }
}

/** Returns the path of a DuckDB file, or the name of a dataset as a file's. */
function pathOf(url: string): string {
  const place = url.slice(url.indexOf(':') + 1)
  return url.startsWith('duckdb:') ? place : place.replaceAll(':', '-')
}

export function batchSizeOf(text: string): number {
  const size = /^\d+$/.test(text) ? Number(text) : 0
  if (size >= 1 && size <= BATCH_SIZE_MAX) return size
  throw new UserError(
    `--batch-size ${JSON.stringify(text)} is not valid: use a whole number of events from 1 ` +
      `to ${BATCH_SIZE_MAX}`,
    2,
  )
}

export function pubsubOf(option: string, text: string): PubsubName {
  const [, project, id] = /^pubsub:([^/\s]+)\/([^/\s]+)$/.exec(text) ?? []
  if (project !== undefined && id !== undefined) return { project, id }
  const what = option === '--source' ? 'subscription' : 'topic'
  throw new UserError(
    `${option} ${JSON.stringify(text)} is not a ${what}: use pubsub:PROJECT/${what.toUpperCase()}`,
    2,
  )
}

/** Parses seconds; returns milliseconds. */
export function secondsOf(option: string, text: string, max = 3_600): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : -1
  if (seconds >= 0 && seconds <= max) return seconds * 1_000
  throw new UserError(
    `${option} ${JSON.stringify(text)} is not valid: use seconds from 0 to ${max}`,
    2,
  )
}

/** Parses a batch wait in seconds; returns milliseconds. */
export function batchWaitOf(text: string): number {
  return secondsOf('--batch-seconds', text, BATCH_SECONDS_MAX)
}

/** Parses an instant; returns microseconds. `option` is the flag it was given for. */
export function instantOf(option: string, text: string): number {
  if (text === 'now') return now()
  const instant = parseInstant(/^\d+$/.test(text) ? Number(text) : text)
  if (instant !== null) return instant
  throw new UserError(
    `${option} ${JSON.stringify(text)} is not an instant: use RFC 3339 such as ` +
      '2026-03-01T10:00:00Z, epoch milliseconds from the year 2000 on, or now',
    2,
  )
}

export const watermarkOf = (text: string): number => instantOf('--watermark', text)

export function formatOf(text: string): Format {
  const format = FORMATS.find((known) => known === text)
  if (format !== undefined) return format
  throw new UserError(
    `--format ${JSON.stringify(text)} is not a wire format: use one of ${FORMATS.join(', ')}, or ` +
      'omit it to detect the format of each line',
    2,
  )
}
