/**
 * `npm run check -- [--warehouse URL]`: runs every query of `sql/checks/`. Each returns no rows if
 * the tables are sound. If some return rows, prints their names, meanings and first rows, and exits
 * with 1.
 */

import { warehouseToRead } from '../../pipeline/config.ts'
import { failedChecks, ROWS_SHOWN } from '../../pipeline/warehouse/integrity-checks.ts'
import { counted } from '../../pipeline/base/text.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { warehouseCommand } from '../cli/command.ts'

export const program = warehouseCommand(
  'npm run check',
  'Runs the integrity checks on the tables.',
).action(async (options: { warehouse: string }) => {
  const warehouse = warehouseToRead(options.warehouse)
  await warehouse.open()
  try {
    const { asked, failed } = await failedChecks(warehouse)
    for (const { name, meaning, rows } of failed) {
      process.stdout.write(`${name}\n  ${meaning}\n`)
      for (const row of rows.slice(0, ROWS_SHOWN)) {
        process.stdout.write(`  ${JSON.stringify(row)}\n`)
      }
      if (rows.length > ROWS_SHOWN) process.stdout.write('  …\n')
    }
    if (failed.length > 0) {
      throw new UserError(`${failed.length} of ${asked} checks failed`)
    }
    process.stdout.write(`${counted(asked, 'check')} passed\n`)
  } finally {
    await warehouse.close()
  }
})
