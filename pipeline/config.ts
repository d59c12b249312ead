/**
 * Command lines → what to run. A wrong argument is a `UserError` with exit code 2, before anything
 * is opened.
 */

import { now, parseInstant } from './clock.ts'
import { duckdbWarehouse } from './duckdb.ts'
import { UserError } from './errors.ts'
import type { Warehouse } from './warehouse.ts'

export const WAREHOUSE_DEFAULT = 'duckdb:journeys.duckdb'
/** What commands that only ask may take: an analysis goes over all that has happened at once. */
export const ASKING_MEMORY = '1GB'
export const DEFINITIONS_DEFAULT = 'definitions'
export const BATCH_SIZE_DEFAULT = 20_000
const BATCH_SIZE_MAX = 1_000_000

export const FORMATS = ['native', 'segment'] as const
export type Format = (typeof FORMATS)[number]

/** `duckdb:path`; the path `:memory:` keeps nothing. `memory` is what queries may take of it. */
export function warehouseOf(url: string, memory?: string): Warehouse {
  const colon = url.indexOf(':')
  const engine = url.slice(0, colon)
  const place = url.slice(colon + 1)
  if (engine === 'duckdb' && place !== '') return duckdbWarehouse(place, memory)
  throw new UserError(
    `--warehouse ${JSON.stringify(url)} is no warehouse: write duckdb:PATH, for example ` +
      WAREHOUSE_DEFAULT,
    2,
  )
}

export function batchSizeOf(text: string): number {
  const size = /^\d+$/.test(text) ? Number(text) : 0
  if (size >= 1 && size <= BATCH_SIZE_MAX) return size
  throw new UserError(
    `--batch-size ${JSON.stringify(text)} is no batch size: give a whole number of events from 1 ` +
      `to ${BATCH_SIZE_MAX}`,
    2,
  )
}

/** Microseconds. `option` is what it was given for. */
export function instantOf(option: string, text: string): number {
  if (text === 'now') return now()
  const instant = parseInstant(/^\d+$/.test(text) ? Number(text) : text)
  if (instant !== null) return instant
  throw new UserError(
    `${option} ${JSON.stringify(text)} is no instant: give RFC 3339 such as ` +
      '2026-03-01T10:00:00Z, epoch milliseconds, or now',
    2,
  )
}

export const watermarkOf = (text: string): number => instantOf('--watermark', text)

export function formatOf(text: string): Format {
  const format = FORMATS.find((known) => known === text)
  if (format !== undefined) return format
  throw new UserError(
    `--format ${JSON.stringify(text)} is no wire format: choose one of ${FORMATS.join(', ')}, or ` +
      'leave it out and each line is recognised by its shape',
    2,
  )
}
