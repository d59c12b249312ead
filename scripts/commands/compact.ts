/**
 * `npm run compact -- --warehouse bigquery:PROJECT.DATASET`: archives rows that queries of the current
 * tables do not need to scan. Without `--yes` it prints the plan and changes nothing.
 * The rows of every view stay the same. DuckDB files are compacted on close; for a DuckDB file, the
 * command finishes an interrupted erasure.
 */

import { BigQueryClient } from '../../pipeline/bigquery/client.ts'
import { compact, compactionPlan, type Surplus } from '../../pipeline/bigquery/compact.ts'
import { atOf, madeSchema, schemaHash } from '../../pipeline/bigquery/migrate.ts'
import { warehouseOf } from '../../pipeline/config.ts'
import { bigqueryPlaceOf } from '../../pipeline/warehouse-url.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { command } from '../cli/command.ts'
import { checkNetwork } from '../cli/network.ts'
import { grouped } from '../cli/funnel-lines.ts'
import { carryOutLine } from '../cli/next-command.ts'

type Options = { warehouse: string; yes?: true; json?: true }

export const program = command(
  'npm run compact',
  'Archives versions of closed months and old state of a dataset.',
)
  .requiredOption('--warehouse <url>', 'bigquery:PROJECT.DATASET or duckdb:PATH')
  .option('--yes', 'do it (default: print the plan)')
  .option('--json', 'one JSON object')
  .action(async ({ warehouse, yes, json }: Options) => {
    if (warehouse.startsWith('duckdb:')) return tidy(warehouse, json)
    const place = bigqueryPlaceOf(warehouse)
    if (place.emulator === undefined) await checkNetwork('bigquery.googleapis.com')
    const client = await BigQueryClient.connect(place)
    const at = atOf(place)
    if ((await madeSchema(client, at)) !== schemaHash(at)) {
      throw new UserError(`${warehouse} is not up to date`, 1, { script: 'migrate', args: [] })
    }
    const plan = await compactionPlan(client, place)
    const due = plan.tables.filter(({ surplus }) => surplus > 0)
    const say = (line: string) => {
      if (json === undefined) process.stdout.write(`${line}\n`)
    }
    if (yes === true) await compact(client, place, plan, (table) => say(lineOf(table)))
    else due.map(lineOf).forEach(say)
    if (due.length === 0) say('nothing to archive')
    else if (yes !== true) say(carryOutLine('compact'))
    if (json === undefined) return
    const tables = due.map(({ table, rows, surplus }) => ({ table, rows, surplus }))
    process.stdout.write(`${JSON.stringify({ done: yes === true, batch: plan.batch, tables })}\n`)
  })

/** Opens a DuckDB file as a writer and closes it, which finishes erasures and compacts it. */
async function tidy(url: string, json: true | undefined): Promise<void> {
  const warehouse = warehouseOf(url)
  const { batch } = await warehouse.open()
  await warehouse.close()
  process.stdout.write(
    json === true
      ? `${JSON.stringify({ done: true, batch, tables: [] })}\n`
      : `${url} is compact: no erasure is unfinished and no rows are pending\n`,
  )
}

function lineOf({ table, rows, surplus }: Surplus): string {
  const what = table.endsWith('_image') ? 'replaced images' : 'ended versions'
  return `${table.padEnd(22)} ${grouped(surplus).padStart(11)} ${what} of ${grouped(rows)} rows`
}
