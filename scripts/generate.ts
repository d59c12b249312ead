/**
 * `npm run generate -- --events N --seed S --out FILE`: a shop's events as NDJSON, and beside them
 * `FILE.truth.json`, what really happened. The same seed gives the same bytes.
 */

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { UserError } from '../pipeline/errors.ts'
import { command, main } from './command.ts'
import { Shop } from './shop.ts'

const CHUNK_LINES = 1_000

function countOf(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new UserError(`${option} ${JSON.stringify(text)} is no count: give a whole number`, 2)
}

const program = command('npm run generate', 'Writes the events of a simulated shop.')
  .option('--events <count>', 'lines to write', '100000')
  .option('--seed <number>', 'another seed is another shop', '1')
  .requiredOption('--out <file>', 'NDJSON to write; the truth goes to FILE.truth.json')
  .action(async (options: { events: string; seed: string; out: string }) => {
    const shop = new Shop(countOf('--seed', options.seed))
    const file = createWriteStream(options.out)
    let lines: string[] = []
    const flush = async () => {
      if (lines.length > 0 && !file.write(`${lines.join('\n')}\n`)) await once(file, 'drain')
      lines = []
    }
    for (const line of shop.lines(countOf('--events', options.events))) {
      lines.push(line)
      if (lines.length === CHUNK_LINES) await flush()
    }
    await flush()
    file.end()
    await finished(file)
    await writeFile(`${options.out}.truth.json`, `${JSON.stringify(shop.truth, null, 1)}\n`)
    const { accepted, duplicates } = shop.truth
    process.stdout.write(`${options.out}: ${accepted} events, ${duplicates} sent twice\n`)
  })

await main(program)
