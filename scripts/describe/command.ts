/**
 * `npm run describe -- --journey checkout`: a definition as a Mermaid state diagram, which many
 * readers of Markdown draw. With `--warehouse` it says how many are in each state, and how often
 * each way was taken.
 */

import { DEFINITIONS_DEFAULT, WAREHOUSE_DEFAULT, warehouseToRead } from '../../pipeline/config.ts'
import { definitionsIn } from '../cli/definitions.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { command } from '../cli/command.ts'
import { countJourney } from './count.ts'
import { mermaidOf, type Counts } from './mermaid.ts'

type Options = { journey: string; warehouse?: string; definitions: string }

export const program = command('npm run describe', 'Prints a journey as a Mermaid state diagram.')
  .requiredOption('--journey <id>', 'the journey to print')
  .option('--warehouse <url>', `count what is there, for example ${WAREHOUSE_DEFAULT}`)
  .option('--definitions <dir>', 'identity, sessions, events and journeys', DEFINITIONS_DEFAULT)
  .action(async (options: Options) => {
    const { journeys } = await definitionsIn(options.definitions)
    const journey = journeys.find(({ id }) => id === options.journey)
    if (journey === undefined) {
      const known = journeys.map(({ id }) => id).join(', ')
      throw new UserError(
        `--journey ${JSON.stringify(options.journey)} is no journey of ${options.definitions}: ` +
          `choose one of ${known === '' ? 'none, there are no journeys' : known}`,
        2,
      )
    }
    const counts =
      options.warehouse === undefined ? null : await counted(options.warehouse, journey)
    process.stdout.write(`${mermaidOf(journey, counts)}\n`)
  })

async function counted(url: string, journey: Journey): Promise<Counts> {
  const warehouse = warehouseToRead(url)
  await warehouse.open()
  try {
    return await countJourney(warehouse, journey)
  } finally {
    await warehouse.close()
  }
}
