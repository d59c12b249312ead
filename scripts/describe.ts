/**
 * `npm run describe -- --journey checkout`: a definition as a Mermaid state diagram, which many
 * readers of Markdown draw. With `--warehouse` it says how many are in each state, and how often
 * each way was taken.
 */

import { DEFINITIONS_DEFAULT, WAREHOUSE_DEFAULT, warehouseOf } from '../pipeline/config.ts'
import { loadDefinitions } from '../pipeline/definitions.ts'
import { UserError } from '../pipeline/errors.ts'
import type { Journey } from '../pipeline/journey.ts'
import type { Row, Warehouse } from '../pipeline/warehouse.ts'
import { command, main } from './command.ts'
import { mermaidOf, type Counts } from './describe/mermaid.ts'

type Options = { journey: string; warehouse?: string; definitions: string }

const program = command('npm run describe', 'Prints a journey as a Mermaid state diagram.')
  .requiredOption('--journey <id>', 'the journey to print')
  .option('--warehouse <url>', `count what is there, for example ${WAREHOUSE_DEFAULT}`)
  .option('--definitions <dir>', 'identity, sessions, events and journeys', DEFINITIONS_DEFAULT)
  .action(async (options: Options) => {
    const { journeys } = await loadDefinitions(options.definitions)
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
      options.warehouse === undefined ? null : await count(warehouseOf(options.warehouse), journey)
    process.stdout.write(`${mermaidOf(journey, counts)}\n`)
  })

async function count(warehouse: Warehouse, { id, version }: Journey): Promise<Counts> {
  await warehouse.open()
  try {
    const [live] = await warehouse.query(
      `select max_by(version, recorded_by) as version from releases
       where kind = 'journey' and id = $1 and action = 'promoted'`,
      [id],
    )
    if (live?.['version'] !== version) {
      const has =
        live?.['version'] === null ? 'does not have it' : `has version ${live?.['version']}`
      throw new UserError(
        `journey ${id} ${version} cannot be counted: ${warehouse.url} ${has}; ` +
          'give the warehouse of this definition, or leave --warehouse out',
      )
    }
    return countsOf(
      await warehouse.query(
        `select track, state, count(*) as inside from states
         where journey = $1 and exited_at is null group by track, state`,
        [id],
      ),
      await warehouse.query(
        `select track, from_state, to_state, cause, event_name, count(*) as taken
         from transitions where journey = $1
         group by track, from_state, to_state, cause, event_name`,
        [id],
      ),
    )
  } finally {
    await warehouse.close()
  }
}

function countsOf(inside: Row[], taken: Row[]): Counts {
  const key = (...parts: unknown[]) => JSON.stringify(parts)
  const insideOf = new Map(
    inside.map((row) => [key(row['track'], row['state']), row['inside'] as number]),
  )
  const takenOf = new Map<string, number>()
  for (const row of taken) {
    // A start is counted whatever event began it.
    const event = row['cause'] === 'event' ? row['event_name'] : null
    const way = key(row['track'], row['from_state'], row['to_state'], event)
    takenOf.set(way, (takenOf.get(way) ?? 0) + (row['taken'] as number))
  }
  return {
    inside: (track, state) => insideOf.get(key(track, state)) ?? 0,
    taken: (track, from, to, event) => takenOf.get(key(track, from, to, event)) ?? 0,
  }
}

await main(program)
