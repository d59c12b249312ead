/**
 * `npm run report -- [--warehouse URL] [--journey ID] [--out report.html]`: where customers go, as
 * one page that anybody can open.
 */

import { writeFile } from 'node:fs/promises'
import { warehouseOf } from '../pipeline/config.ts'
import { messageOf, UserError } from '../pipeline/errors.ts'
import { main, warehouseCommand } from './command.ts'
import { htmlOf } from './report/bundle.ts'
import { collect } from './report/collect.ts'

type Options = { warehouse: string; journey?: string; out: string }

const program = warehouseCommand('npm run report', 'Draws the journeys of a warehouse as a page.')
  .option('--journey <id>', 'only this journey (default: all)')
  .option('--out <file>', 'the HTML file to write', 'report.html')
  .action(async ({ warehouse: url, journey, out }: Options) => {
    const warehouse = warehouseOf(url)
    await warehouse.open()
    try {
      const page = await htmlOf(await collect(warehouse, journey ?? null))
      await write(out, page)
      const size = Math.ceil(Buffer.byteLength(page) / 1_024)
      process.stdout.write(`${out}: ${size} KB, open it in a browser\n`)
    } finally {
      await warehouse.close()
    }
  })

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (thrown) {
    throw new UserError(`--out ${file} cannot be written: ${messageOf(thrown)}`)
  }
}

await main(program)
