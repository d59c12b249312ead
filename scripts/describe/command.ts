/**
 * `npm run describe -- --journey checkout`: prints a journey as a Mermaid state diagram. With
 * `--warehouse` it adds the number of instances in each state and the number of times each transition
 * was taken.
 */

import { DEFINITIONS_DEFAULT, warehouseToRead } from '../../pipeline/config.ts'
import { WAREHOUSE_DEFAULT } from '../../pipeline/warehouse-url.ts'
import { definitionsIn } from '../cli/definitions.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { choiceOf } from '../../pipeline/base/text.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { command } from '../cli/command.ts'
import { differences, ReleaseLog } from '../../pipeline/warehouse/release-log.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { DEFINITIONS_HELP, folderOf } from '../cli/definitions-folder.ts'
import { note, say } from '../cli/output.ts'
import { countJourney } from './count.ts'
import { mermaidOf } from './mermaid.ts'

type Options = { journey: string; warehouse?: string; definitions?: string }

export const program = command('npm run describe', 'Prints a journey as a Mermaid state diagram.')
  .requiredOption('--journey <id>', 'journey to print')
  .option('--warehouse <url>', `add counts from this warehouse, for example ${WAREHOUSE_DEFAULT}`)
  .option('--definitions <dir>', DEFINITIONS_HELP)
  .action(async ({ journey: id, warehouse: url, definitions }: Options) => {
    if (url === undefined) {
      const journey = await journeyOf(definitions ?? DEFINITIONS_DEFAULT, id)
      say(mermaidOf(journey, null).split('\n'))
      return
    }
    const warehouse = warehouseToRead(url)
    try {
      await warehouse.open()
      const journey = await journeyOf(await folderOf(warehouse, definitions), id)
      await noteDifference(warehouse, journey)
      say(mermaidOf(journey, await countJourney(warehouse, journey)).split('\n'))
    } finally {
      await warehouse.close()
    }
  })

async function journeyOf(folder: string, id: string): Promise<Journey> {
  const { journeys } = await definitionsIn(folder)
  const journey = journeys.find((one) => one.id === id)
  if (journey !== undefined) return journey
  const known = journeys.map((one) => one.id)
  throw new UserError(
    `--journey ${JSON.stringify(id)} is not a journey of ${folder}: ` + choiceOf(known, 'journeys'),
    2,
  )
}

/** Prints how the journey of the folder differs from the live one. */
async function noteDifference(warehouse: Warehouse, journey: Journey): Promise<void> {
  const live = (await ReleaseLog.read(warehouse)).promoted('journey', journey.id).at(-1)
  if (live === undefined) {
    note(`journey ${journey.id} is not live in ${warehouse.url}`)
    return
  }
  const how = differences(live.content, JSON.stringify(journey))
  if (how.length === 0) return
  const what = `journey ${journey.id} ${journey.version} of the definitions differs from version`
  note(`${what} ${live.version}, which is live: ${how.join(', ')}`)
}
