/**
 * `npm run status`: how far the tables have come, what was last done, what is live, what was
 * refused and what was corrected. With thresholds it is a health check: exit 1 names those passed.
 */

import { formatInstant, now } from '../pipeline/clock.ts'
import { ASKING_MEMORY, warehouseOf } from '../pipeline/config.ts'
import { UserError } from '../pipeline/errors.ts'
import { parseDuration } from '../pipeline/journey.ts'
import { ReleaseLog } from '../pipeline/releases.ts'
import type { Row, Warehouse } from '../pipeline/warehouse.ts'
import { main, warehouseCommand } from './command.ts'
import { duration } from './funnel-lines.ts'

type Options = {
  warehouse: string
  json?: boolean
  maxLag?: string
  maxQuiet?: string
  maxDeadLetters?: string
}

/** Counts by what they are of, the commonest first. */
type Tally = { [name: string]: number }

type Status = {
  warehouse: string
  /** RFC 3339; null when there is none. */
  watermark: string | null
  /** How far the watermark is behind now, and how long ago the last commit was, milliseconds. */
  lag_ms: number | null
  quiet_ms: number | null
  batches: number
  last_batch: Row | null
  live: Tally
  dead_letters: Tally
  /** Versions that late events, identity and rebuilding took back in the last batch. */
  corrections: Tally
  /** Thresholds that were passed, in words. */
  unhealthy: string[]
}

const program = warehouseCommand('npm run status', 'How far the tables have come, and how well.')
  .option('--max-lag <duration>', 'unhealthy when the watermark is further behind now, e.g. 2h')
  .option('--max-quiet <duration>', 'unhealthy when the last commit is longer ago')
  .option('--max-dead-letters <count>', 'unhealthy when more are unresolved')
  .option('--json', 'one JSON object')
  .action(async (options: Options) => {
    const limits = {
      lagMs: durationMs('--max-lag', options.maxLag),
      quietMs: durationMs('--max-quiet', options.maxQuiet),
      deadLetters: countOf('--max-dead-letters', options.maxDeadLetters),
    }
    const warehouse = warehouseOf(options.warehouse, ASKING_MEMORY)
    await warehouse.open()
    try {
      const status = await statusOf(warehouse)
      status.unhealthy = passed(status, limits)
      process.stdout.write(options.json === true ? `${JSON.stringify(status)}\n` : inWords(status))
      if (status.unhealthy.length > 0) {
        throw new UserError(`unhealthy: ${status.unhealthy.join('; ')}`)
      }
    } finally {
      await warehouse.close()
    }
  })

function durationMs(option: string, text: string | undefined): number {
  if (text === undefined) return Infinity
  const micros = parseDuration(text)
  if (micros !== null) return micros / 1_000
  const what = `${option} ${JSON.stringify(text)} is no duration`
  throw new UserError(`${what}: give a number and one of ms s m h d w, such as 2h`, 2)
}

function countOf(option: string, text: string | undefined): number {
  if (text === undefined) return Infinity
  if (/^\d+$/.test(text)) return Number(text)
  throw new UserError(`${option} ${JSON.stringify(text)} is no count: give a whole number`, 2)
}

async function statusOf(warehouse: Warehouse): Promise<Status> {
  const [last] = await warehouse.query('select * from batches order by batch desc limit 1')
  const watermark = (last?.['watermark'] ?? null) as number | null
  const recordedAt = (last?.['recorded_at'] ?? null) as number | null
  return {
    warehouse: warehouse.url,
    watermark: watermark === null ? null : formatInstant(watermark),
    lag_ms: watermark === null ? null : Math.max(0, now() - watermark) / 1_000,
    quiet_ms: recordedAt === null ? null : Math.max(0, now() - recordedAt) / 1_000,
    batches: (last?.['batch'] ?? 0) as number,
    last_batch: last ?? null,
    live: Object.fromEntries(
      (await ReleaseLog.read(warehouse))
        .live()
        .sort((a, b) => (a.kind === b.kind ? (a.id < b.id ? -1 : 1) : a.kind < b.kind ? 1 : -1))
        .map(({ id, version }) => [id, version]),
    ),
    dead_letters: tally(
      await warehouse.query(
        `select reason as name, count(*) as value from dead_letters
         where resolved_at is null group by reason order by value desc, reason`,
      ),
    ),
    corrections: tally(
      await warehouse.query(
        `select superseded_because as name, count(*) as value from late_corrections
         where batch = $1 group by superseded_because order by value desc, name`,
        [(last?.['batch'] ?? 0) as number],
      ),
    ),
    unhealthy: [],
  }
}

function tally(rows: Row[]): Tally {
  return Object.fromEntries(rows.map((row) => [row['name'] as string, row['value'] as number]))
}

function passed(
  status: Status,
  limits: { lagMs: number; quietMs: number; deadLetters: number },
): string[] {
  const unresolved = total(status.dead_letters)
  return [
    ...((status.lag_ms ?? 0) > limits.lagMs
      ? [`the watermark is ${duration(status.lag_ms ?? 0)} behind (--max-lag)`]
      : []),
    ...((status.quiet_ms ?? 0) > limits.quietMs
      ? [`the last commit was ${duration(status.quiet_ms ?? 0)} ago (--max-quiet)`]
      : []),
    ...(unresolved > limits.deadLetters
      ? [`${unresolved} dead letters are unresolved (--max-dead-letters)`]
      : []),
  ]
}

function total(counts: Tally): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

function listed(counts: Tally): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${grouped(count)}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}

const grouped = (count: number) => count.toLocaleString('en-US')

function inWords(status: Status): string {
  const { last_batch: last, watermark, lag_ms: lag, quiet_ms: quiet } = status
  if (last === null) return `${status.warehouse}\n  nothing has been committed yet\n`
  const count = (name: string) => grouped(last[`${name}_count`] as number)
  const lines = [
    `watermark     ${watermark ?? 'none'}${lag === null ? '' : `, ${duration(lag)} behind now`}`,
    `last batch    ${grouped(status.batches)}, ${duration(quiet ?? 0)} ago, from ${last['origin']}`,
    `              ${count('read')} read, ${count('landed')} landed, ` +
      `${count('duplicate')} duplicates, ${count('rejected')} refused`,
    `live          ${listed(status.live)}`,
    `corrections   ${listed(status.corrections)} in the last batch`,
    `dead letters  ${grouped(total(status.dead_letters))} unresolved: ` +
      listed(status.dead_letters),
  ]
  return `${status.warehouse}\n${lines.map((line) => `  ${line}\n`).join('')}`
}

await main(program)
