/**
 * Progress and health of a warehouse, as printed by `npm run status` and served by the worker's
 * `/metrics` and `/healthz`.
 *
 * A reading is read from the warehouse. Ages are computed each time a status is made from it.
 */

import { formatInstant, HOUR, now } from '../../pipeline/base/clock.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { parseDuration } from '../../pipeline/definition/duration.ts'
import { instantLiteral } from '../../pipeline/query/as-of.ts'
import { ReleaseLog } from '../../pipeline/warehouse/release-log.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import type { Command } from './command.ts'
import { counted } from '../../pipeline/base/text.ts'
import { duration } from './funnel-lines.ts'

/** Counts by name, the largest first. */
export type Tally = { [name: string]: number }

/** Instants are microseconds. */
export type Reading = {
  warehouse: string
  watermark: number | null
  recordedAt: number | null
  batches: number
  lastBatch: Row | null
  /** Lines that all batches read, by outcome. */
  events: Tally
  live: Tally
  /** Unresolved dead letters by reason. */
  deadLetters: Tally
  /** Rows superseded in the 24 hours before the reading, by reason. */
  corrections: Tally
}

export type Status = {
  warehouse: string
  /** RFC 3339, or null. */
  watermark: string | null
  /** Milliseconds from the watermark to now, and from the last commit to now. */
  lag_ms: number | null
  quiet_ms: number | null
  batches: number
  last_batch: Row | null
  events: Tally
  live: Tally
  dead_letters: Tally
  corrections: Tally
  /** Exceeded limits, as text. */
  unhealthy: string[]
}

/** Infinity means unlimited. */
export type Limits = { lagMs: number; quietMs: number; deadLetters: number; corrections: number }

export type LimitOptions = {
  maxLag?: string
  maxQuiet?: string
  maxDeadLetters?: string
  maxCorrections?: string
}

/** Adds the limit options to a command. */
export function withLimits(program: Command): Command {
  return program
    .option(
      '--max-lag <duration>',
      'unhealthy if the watermark is further behind now, for example 2h',
    )
    .option('--max-quiet <duration>', 'unhealthy if the last commit is longer ago')
    .option('--max-dead-letters <count>', 'unhealthy if more are unresolved')
    .option('--max-corrections <count>', 'unhealthy if more rows were superseded in 24 hours')
}

export function limitsOf(options: LimitOptions): Limits {
  return {
    lagMs: durationMs('--max-lag', options.maxLag),
    quietMs: durationMs('--max-quiet', options.maxQuiet),
    deadLetters: countOf('--max-dead-letters', options.maxDeadLetters),
    corrections: countOf('--max-corrections', options.maxCorrections),
  }
}

function durationMs(option: string, text: string | undefined): number {
  if (text === undefined) return Infinity
  const micros = parseDuration(text)
  if (micros !== null) return micros / 1_000
  const what = `${option} ${JSON.stringify(text)} is not valid`
  throw new UserError(`${what}: use a number and one of ms s m h d w, for example 2h`, 2)
}

function countOf(option: string, text: string | undefined): number {
  if (text === undefined) return Infinity
  if (/^\d+$/.test(text)) return Number(text)
  throw new UserError(`${option} ${JSON.stringify(text)} is not valid: use a whole number`, 2)
}

export async function readHealth(warehouse: Warehouse): Promise<Reading> {
  const [last] = await warehouse.query('select * from batches order by batch desc limit 1')
  const [sums = {}] = await warehouse.query(
    `select sum(landed_count) as landed, sum(duplicate_count) as duplicate,
       sum(rejected_count) as rejected from batches`,
  )
  const live = (await ReleaseLog.read(warehouse)).live()
  live.sort((a, b) => (a.kind === b.kind ? (a.id < b.id ? -1 : 1) : a.kind < b.kind ? 1 : -1))
  const deadLetters = await warehouse.query(
    `select reason as name, count(*) as value from dead_letters
     where resolved_at is null group by reason order by value desc, reason`,
  )
  const corrections = await warehouse.query(
    `select superseded_because as name, count(*) as value from late_corrections
     where superseded_at > ${instantLiteral(now() - 24 * HOUR)}
     group by superseded_because order by value desc, name`,
  )
  return {
    warehouse: warehouse.url,
    watermark: (last?.['watermark'] ?? null) as number | null,
    recordedAt: (last?.['recorded_at'] ?? null) as number | null,
    batches: (last?.['batch'] ?? 0) as number,
    lastBatch: last ?? null,
    events: Object.fromEntries(
      ['landed', 'duplicate', 'rejected'].map((name) => [name, Number(sums[name] ?? 0)]),
    ),
    live: Object.fromEntries(live.map(({ id, version }) => [id, version])),
    deadLetters: tally(deadLetters),
    corrections: tally(corrections),
  }
}

function tally(rows: Row[]): Tally {
  return Object.fromEntries(rows.map((row) => [row['name'] as string, row['value'] as number]))
}

export function statusOf(reading: Reading, limits: Limits): Status {
  const { warehouse, watermark, recordedAt, batches, events, live } = reading
  const status: Status = {
    warehouse,
    watermark: watermark === null ? null : formatInstant(watermark),
    lag_ms: sinceMs(watermark),
    quiet_ms: sinceMs(recordedAt),
    batches,
    last_batch: reading.lastBatch,
    events,
    live,
    dead_letters: reading.deadLetters,
    corrections: reading.corrections,
    unhealthy: [],
  }
  return { ...status, unhealthy: passed(status, limits) }
}

const sinceMs = (instant: number | null) =>
  instant === null ? null : Math.max(0, now() - instant) / 1_000

function passed(status: Status, limits: Limits): string[] {
  const { lag_ms: lag, quiet_ms: quiet } = status
  const unresolved = total(status.dead_letters)
  const superseded = total(status.corrections)
  const words: [isPassed: boolean, words: string][] = [
    [(lag ?? 0) > limits.lagMs, `the watermark is ${duration(lag ?? 0)} behind (--max-lag)`],
    [
      (quiet ?? 0) > limits.quietMs,
      `the last commit was ${duration(quiet ?? 0)} ago (--max-quiet)`,
    ],
    [
      unresolved > limits.deadLetters,
      `${counted(unresolved, 'dead letter is', 'dead letters are')} unresolved (--max-dead-letters)`,
    ],
    [
      superseded > limits.corrections,
      `${counted(superseded, 'row was', 'rows were')} superseded in 24 hours (--max-corrections)`,
    ],
  ]
  return words.flatMap(([isPassed, text]) => (isPassed ? [text] : []))
}

export function total(counts: Tally): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
