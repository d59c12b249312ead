/**
 * `npm run generate -- --events N --seed S --out FILE`: writes the events of a simulated shop as
 * NDJSON, and the expected outcome as `FILE.truth.json`. The same seed gives the same bytes.
 */

import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { messageOf, UserError } from '../../pipeline/base/errors.ts'
import { command } from '../cli/command.ts'
import { counted } from '../../pipeline/base/text.ts'
import { say } from '../cli/output.ts'
import { Shop } from '../sample/shop.ts'

const CHUNK_LINES = 1_000

function countOf(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new UserError(`${option} ${JSON.stringify(text)} is not valid: use a whole number`, 2)
}

function* chunksOf(lines: Iterable<string>): Generator<string> {
  let chunk: string[] = []
  for (const line of lines) {
    chunk.push(line)
    if (chunk.length < CHUNK_LINES) continue
    yield `${chunk.join('\n')}\n`
    chunk = []
  }
  if (chunk.length > 0) yield `${chunk.join('\n')}\n`
}

export const program = command('npm run generate', 'Writes the events of a simulated shop.')
  .option('--events <count>', 'lines to write', '100000')
  .option('--seed <number>', 'seed of the shop', '1')
  .requiredOption(
    '--out <file>',
    'NDJSON file to write; the expected outcome goes to FILE.truth.json',
  )
  .action(async (options: { events: string; seed: string; out: string }) => {
    const shop = new Shop(countOf('--seed', options.seed))
    const lines = shop.lines(countOf('--events', options.events))
    try {
      await pipeline(chunksOf(lines), createWriteStream(options.out))
      await writeFile(`${options.out}.truth.json`, `${JSON.stringify(shop.truth, null, 1)}\n`)
    } catch (thrown) {
      throw new UserError(`--out ${options.out} cannot be written: ${messageOf(thrown)}`)
    }
    const { accepted, duplicates } = shop.truth
    say([`${options.out}: ${counted(accepted, 'event')}, ${duplicates} sent twice`])
  })
