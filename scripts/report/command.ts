/**
 * `npm run report -- [--warehouse URL] [--journey ID] [--out report.html]`: where customers go, as
 * one page that anybody can open.
 */

import { UserError } from '../../pipeline/base/errors.ts'
import { PATH_FORMS, pathFault } from '../../pipeline/definition/path.ts'
import { warehouseToRead } from '../../pipeline/config.ts'
import { warehouseCommand } from '../cli/command.ts'
import { note } from '../cli/output.ts'
import { writePage } from '../cli/page.ts'
import { reportPage } from './bundle.ts'
import { collect } from './collect/collect.ts'

type Options = { warehouse: string; journey?: string; by?: string; out: string }

export const program = warehouseCommand(
  'npm run report',
  'Draws the journeys of a warehouse as one HTML page.',
)
  .option('--journey <id>', 'only this journey (default: all)')
  .option('--by <value>', `filter and compare by a value of events: ${PATH_FORMS}`)
  .option('--out <file>', 'HTML file to write', 'report.html')
  .action(async ({ warehouse: url, journey, by, out }: Options) => {
    const fault = by === undefined ? null : pathFault(by)
    if (fault !== null) throw new UserError(`--by: ${fault}`, 2)
    const warehouse = warehouseToRead(url)
    await warehouse.open()
    try {
      const document = await collect(warehouse, journey ?? null, by ?? null)
      await writePage('--out', out, await reportPage(document))
      if (document.empty !== null) note(`${document.empty.text} ${document.empty.command}`)
    } finally {
      await warehouse.close()
    }
  })
