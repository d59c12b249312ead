/**
 * `npm run migrate -- --warehouse bigquery:PROJECT.DATASET`: prints the plan and creates missing
 * tables, columns and views. It is additive and idempotent. A DuckDB file is migrated when it is
 * opened.
 */

import { BigQueryClient } from '../../pipeline/bigquery/client.ts'
import { atOf, migrate, planOf } from '../../pipeline/bigquery/migrate.ts'
import { bigqueryPlaceOf } from '../../pipeline/warehouse-url.ts'
import { command } from '../cli/command.ts'
import { say } from '../cli/output.ts'
import { checkNetwork } from '../cli/network.ts'

type Options = { warehouse: string; location?: string; dryRun?: true }

export const program = command(
  'npm run migrate',
  'Creates missing tables, columns and views of a dataset.',
)
  .requiredOption('--warehouse <url>', 'the dataset, bigquery:PROJECT.DATASET')
  .option('--location <region>', 'location of a new dataset, for example EU (default: US)')
  .option('--dry-run', 'print the plan only')
  .action(async ({ warehouse, location, dryRun }: Options) => {
    const place = bigqueryPlaceOf(warehouse)
    if (place.emulator === undefined) await checkNetwork('bigquery.googleapis.com')
    const client = await BigQueryClient.connect(place)
    const at = atOf(place)
    const plan = await planOf(client, at)
    const lines = plan.lines.length === 0 ? ['nothing to do'] : plan.lines
    say(lines)
    if (dryRun === undefined) await migrate(client, at, plan, location)
  })
