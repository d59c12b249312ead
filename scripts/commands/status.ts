/**
 * `npm run status`: prints the watermark, the last batch, live versions, refused lines and
 * corrections. With limits it is a health check.
 *
 * Exit 0: done; 1: failed, or unhealthy, with the exceeded limits; 2: wrong arguments.
 */

import { warehouseToRead } from '../../pipeline/config.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { warehouseCommand } from '../cli/command.ts'
import { counted } from '../../pipeline/base/text.ts'
import { say, sayJson } from '../cli/output.ts'
import { duration, grouped } from '../cli/funnel-lines.ts'
import {
  limitsOf,
  readHealth,
  statusOf,
  total,
  withLimits,
  type LimitOptions,
  type Status,
  type Tally,
} from '../cli/health.ts'

type Options = LimitOptions & { warehouse: string; json?: boolean }

export const program = withLimits(
  warehouseCommand(
    'npm run status',
    'Prints the watermark, the last batch, versions and refused lines.',
  ),
)
  .option('--json', 'one JSON object')
  .action(async (options: Options) => {
    const limits = limitsOf(options)
    const warehouse = warehouseToRead(options.warehouse)
    await warehouse.open()
    try {
      const status = statusOf(await readHealth(warehouse), limits)
      if (options.json === true) sayJson(status)
      else say(linesOf(status))
      if (status.unhealthy.length > 0) {
        throw new UserError(`unhealthy: ${status.unhealthy.join('; ')}`)
      }
    } finally {
      await warehouse.close()
    }
  })

function listed(counts: Tally): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${grouped(count)}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}

const outcomes = ({ landed = 0, duplicate = 0, rejected = 0 }: Tally) =>
  `${grouped(landed)} landed, ${counted(duplicate, 'duplicate')}, ${grouped(rejected)} refused`

function linesOf(status: Status): string[] {
  const { last_batch: last, watermark, lag_ms: lag, quiet_ms: quiet } = status
  if (last === null) return [status.warehouse, '  nothing has been committed yet']
  const lines = [
    `watermark     ${watermark ?? 'none'}${lag === null ? '' : `, ${duration(lag)} behind now`}`,
    `last batch    ${grouped(status.batches)}, ${duration(quiet ?? 0)} ago, from ${last['origin']}`,
    `              ${grouped(last['read_count'])} read, ` +
      outcomes({
        landed: Number(last['landed_count']),
        duplicate: Number(last['duplicate_count']),
        rejected: Number(last['rejected_count']),
      }),
    `all batches   ${outcomes(status.events)}`,
    `live          ${listed(status.live)}`,
    `corrections   ${listed(status.corrections)} in the last 24 hours`,
    `dead letters  ${grouped(total(status.dead_letters))} unresolved: ` +
      listed(status.dead_letters),
  ]
  return [status.warehouse, ...lines.map((line) => `  ${line}`)]
}
