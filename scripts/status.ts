/**
 * `npm run status`: where a warehouse stands, and whether that is healthy by the limits asked for.
 * Without limits nothing is unhealthy.
 *
 * Exit 0: healthy; 1: a limit is passed, or failed; 2: wrong arguments.
 */

import { formatInstant, HOUR, MS, now } from '../pipeline/clock.ts'
import { ASKING_MEMORY, warehouseOf } from '../pipeline/config.ts'
import { UserError } from '../pipeline/errors.ts'
import { parseDuration } from '../pipeline/journey.ts'
import { instantLiteral } from '../pipeline/on-record.ts'
import type { Row, Warehouse } from '../pipeline/warehouse.ts'
import { main, warehouseCommand } from './command.ts'

type Options = {
  warehouse: string
  maxLag?: string
  maxIdle?: string
  maxDeadLetters?: string
  maxLateCorrections?: string
  json?: boolean
}

const BATCHES_SHOWN = 5
/** Late corrections are counted over this long before now. */
const DAY = 24 * HOUR

const program = warehouseCommand('npm run status', 'Tells where a warehouse stands.')
  .option('--max-lag <duration>', 'unhealthy when the watermark is further behind, such as 1h')
  .option('--max-idle <duration>', 'unhealthy when the last batch is longer ago')
  .option('--max-dead-letters <count>', 'unhealthy with more unresolved dead letters')
  .option('--max-late-corrections <count>', 'unhealthy with more of them in the last 24 hours')
  .option('--json', 'one JSON object')
  .action(status)

/** A figure with its limit, null when none was asked for; durations are microseconds. */
type Figure = { name: string; value: number | null; limit: number | null; isDuration: boolean }

async function status(options: Options): Promise<void> {
  const limits = {
    lag: durationOf('--max-lag', options.maxLag),
    idle: durationOf('--max-idle', options.maxIdle),
    letters: countOf('--max-dead-letters', options.maxDeadLetters),
    late: countOf('--max-late-corrections', options.maxLateCorrections),
  }
  const warehouse = warehouseOf(options.warehouse, ASKING_MEMORY)
  const head = await warehouse.open()
  try {
    const at = now()
    const letters = await deadLetters(warehouse)
    const figures: Figure[] = [
      figure('lag', head.watermark === null ? null : at - head.watermark, limits.lag, true),
      figure('idle', head.batch === 0 ? null : at - head.recordedAt, limits.idle, true),
      figure('dead letters', total(letters), limits.letters, false),
      figure('late corrections', await lateCorrections(warehouse, at), limits.late, false),
    ]
    const state = {
      warehouse: warehouse.url,
      batch: head.batch,
      watermark: head.watermark === null ? null : formatInstant(head.watermark),
      figures: figures.map((one) => ({ ...one, isHealthy: !isPassed(one) })),
      batches: await lastBatches(warehouse),
      releases: await liveReleases(warehouse),
      deadLetters: letters,
    }
    const lines = [`${state.warehouse}, watermark ${state.watermark ?? 'none'}`]
    lines.push(...figures.map(figureLine))
    lines.push('', 'Last batches', ...none(state.batches.map(batchLine)))
    lines.push('', 'Live', ...none(state.releases.map(releaseLine)))
    lines.push('', 'Dead letters', ...none(letters.map(letterLine)))
    const text = options.json === true ? JSON.stringify(state) : lines.join('\n')
    process.stdout.write(`${text}\n`)
    const passed = figures.filter(isPassed).map(({ name }) => name)
    if (passed.length > 0) throw new UserError(`unhealthy: ${passed.join(', ')}`)
  } finally {
    await warehouse.close()
  }
}

const figure = (
  name: string,
  value: number | null,
  limit: number | null,
  isDuration: boolean,
): Figure => ({ name, value, limit, isDuration })

/** An empty warehouse has no lag to be within a limit, and passes it. */
const isPassed = ({ value, limit }: Figure) => limit !== null && (value === null || value > limit)

function durationOf(option: string, text: string | undefined): number | null {
  if (text === undefined) return null
  const duration = parseDuration(text)
  if (duration !== null) return duration
  throw new UserError(`${option} ${JSON.stringify(text)} is no duration: write 30m, 1h or 2d`, 2)
}

function countOf(option: string, text: string | undefined): number | null {
  if (text === undefined) return null
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new UserError(`${option} ${JSON.stringify(text)} is no count: write a whole number`, 2)
}

const total = (rows: Row[]) => rows.reduce((sum, row) => sum + (row['letters'] as number), 0)

function deadLetters(warehouse: Warehouse): Promise<Row[]> {
  return warehouse.query(
    `select reason, count(*) as letters, max(received_at) as latest_at from dead_letters
     where resolved_at is null group by reason order by letters desc, reason`,
  )
}

async function lateCorrections(warehouse: Warehouse, at: number): Promise<number> {
  const [row] = await warehouse.query(
    `select count(*) as corrections from transition_facts
     where superseded_because = 'late_event' and superseded_at > ${instantLiteral(at - DAY)}`,
  )
  return row?.['corrections'] as number
}

function lastBatches(warehouse: Warehouse): Promise<Row[]> {
  return warehouse.query(
    `select batch, recorded_at, origin, read_count, landed_count, duplicate_count, rejected_count,
       inserted_count, superseded_count
     from batches order by batch desc limit ${BATCHES_SHOWN}`,
  )
}

/** Of each definition that was promoted, the last time. */
function liveReleases(warehouse: Warehouse): Promise<Row[]> {
  return warehouse.query(
    `select kind, id, version, recorded_at from (
       select kind, id, version, recorded_at,
         row_number() over (partition by kind, id order by recorded_by desc) as place
       from releases where action = 'promoted'
     ) as promoted
     where place = 1 order by kind, id`,
  )
}

const none = (lines: string[]) => (lines.length === 0 ? ['  none'] : lines)
const timeOf = (instant: unknown) =>
  formatInstant(instant as number)
    .slice(0, 19)
    .replace('T', ' ')

function figureLine(one: Figure): string {
  const { name, value, limit, isDuration } = one
  const words = (amount: number) => (isDuration ? durationWords(amount) : String(amount))
  const verdict =
    limit === null ? '' : isPassed(one) ? `  PASSES ${words(limit)}` : `  within ${words(limit)}`
  return `  ${name.padEnd(17)} ${value === null ? 'none' : words(value)}${verdict}`
}

/** `3 d 4 h`, `4 h 12 min`, `12 min`, `5 s`. */
function durationWords(micros: number): string {
  const seconds = Math.floor(micros / MS / 1_000)
  const [days, hours, minutes] = [86_400, 3_600, 60].map((unit) => Math.floor(seconds / unit))
  if (days !== undefined && days > 0) return `${days} d ${(hours ?? 0) % 24} h`
  if (hours !== undefined && hours > 0) return `${hours} h ${(minutes ?? 0) % 60} min`
  return minutes !== undefined && minutes > 0 ? `${minutes} min` : `${seconds} s`
}

function batchLine(row: Row): string {
  return (
    `  ${row['batch']}  ${timeOf(row['recorded_at'])}  ${row['origin']}: ` +
    `${row['read_count']} read, ${row['landed_count']} landed, ` +
    `${row['duplicate_count']} duplicates, ${row['rejected_count']} refused; ` +
    `${row['inserted_count']} rows in, ` +
    `${row['superseded_count']} superseded`
  )
}

function releaseLine(row: Row): string {
  return `  ${row['kind']} ${row['id']} ${row['version']}  since ${timeOf(row['recorded_at'])}`
}

function letterLine(row: Row): string {
  return `  ${row['reason']} ${row['letters']}, the latest ${timeOf(row['latest_at'])}`
}

await main(program)
