/**
 * `npm run export -- --table transitions --out transitions.parquet`: a public view as a file of
 * Parquet, Arrow or CSV, by the ending of its name.
 *
 * Exit 0: written; 1: failed, and there is no file; 2: wrong arguments.
 */

import { ASKING_MEMORY, warehouseOf } from '../pipeline/config.ts'
import { checkExport, exportView } from '../pipeline/export.ts'
import { main, warehouseCommand } from './command.ts'

type Options = { warehouse: string; table: string; out: string; json?: boolean }

const program = warehouseCommand('npm run export', 'Writes a public view to a file.')
  .requiredOption('--table <view>', 'a view of the README, such as transitions')
  .requiredOption('--out <file>', 'ends in .parquet, .arrow or .csv')
  .option('--json', 'one JSON object')
  .action(async ({ warehouse: url, table, out, json }: Options) => {
    checkExport(table, out)
    const warehouse = warehouseOf(url, ASKING_MEMORY)
    await warehouse.open()
    try {
      const rows = await exportView(warehouse, table, out)
      const text = json === true ? JSON.stringify({ table, out, rows }) : `${rows} rows → ${out}`
      process.stdout.write(`${text}\n`)
    } finally {
      await warehouse.close()
    }
  })

await main(program)
