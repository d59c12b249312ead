/**
 * `npm run report -- [--warehouse URL] [--journey ID] [--out report.html]`: where customers go, as
 * one page that anybody can open.
 */

import { warehouseToRead } from '../../pipeline/config.ts'
import { warehouseCommand } from '../cli/command.ts'
import { writePage } from '../cli/page.ts'
import { reportPage } from './bundle.ts'
import { collect } from './collect.ts'

type Options = { warehouse: string; journey?: string; out: string }

export const program = warehouseCommand(
  'npm run report',
  'Draws the journeys of a warehouse as one HTML page.',
)
  .option('--journey <id>', 'only this journey (default: all)')
  .option('--out <file>', 'HTML file to write', 'report.html')
  .action(async ({ warehouse: url, journey, out }: Options) => {
    const warehouse = warehouseToRead(url)
    await warehouse.open()
    try {
      await writePage('--out', out, await reportPage(await collect(warehouse, journey ?? null)))
    } finally {
      await warehouse.close()
    }
  })
