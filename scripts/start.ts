/**
 * `npm start -- [options] [FILE…|-]`: events in, journeys out. Without a file, a sample.
 *
 * Prints one screen of what was found. Exit 0 when all input was processed; refused lines are
 * counted and kept as dead letters, and are no error. Ctrl-C finishes the batch at hand.
 */

import { Pipeline } from '../pipeline/advance.ts'
import {
  BATCH_SIZE_DEFAULT,
  batchSizeOf,
  DEFINITIONS_DEFAULT,
  FORMATS,
  formatOf,
  warehouseOf,
  watermarkOf,
} from '../pipeline/config.ts'
import { startDecoder } from '../pipeline/decoder.ts'
import { loadDefinitions } from '../pipeline/definitions.ts'
import { UserError } from '../pipeline/errors.ts'
import { fileSource } from '../pipeline/files.ts'
import { HASH_KEY_VARIABLE } from '../pipeline/identifiers.ts'
import { run } from '../pipeline/run.ts'
import { interruption, main, warehouseCommand } from './command.ts'
import { startProgress } from './progress.ts'
import { sampleSource } from './sample.ts'
import { screen } from './screen.ts'

type Options = {
  warehouse: string
  format?: string
  batchSize: string
  watermark?: string
  definitions: string
}

const program = warehouseCommand('npm start', 'Turns product events into customer journeys.')
  .argument('[files...]', 'NDJSON files, - for standard input; none: the bundled sample')
  .option('--format <format>', `wire format: ${FORMATS.join(', ')} (default: by each line's shape)`)
  .option('--batch-size <events>', 'events per micro-batch', String(BATCH_SIZE_DEFAULT))
  .option('--watermark <instant>', 'decide timeouts up to this instant; RFC 3339, or now')
  .option('--definitions <dir>', 'identity, sessions, events and journeys', DEFINITIONS_DEFAULT)
  .action(start)

async function start(files: string[], options: Options): Promise<void> {
  const warehouse = warehouseOf(options.warehouse)
  const linesMax = batchSizeOf(options.batchSize)
  const watermark = options.watermark === undefined ? null : watermarkOf(options.watermark)
  const format = options.format === undefined ? undefined : formatOf(options.format)
  const signal = interruption(() => process.stderr.write('\nfinishing the batch at hand …\n'))
  const source =
    files.length === 0 ? sampleSource(linesMax) : await fileSource(files, { linesMax, signal })
  const definitions = await loadDefinitions(options.definitions)
  const isTerminal = process.stderr.isTTY === true
  try {
    const pipeline = await Pipeline.open(warehouse, definitions)
    for (const { kind, id, version } of pipeline.waiting) {
      process.stderr.write(
        `${kind} ${id} ${version} is not live; this run goes on under what is: ` +
          `npm run replay -- --${kind} ${id}, then npm run release -- promote ${id} ${version}\n`,
      )
    }
    const decoder = startDecoder({
      identity: definitions.identity,
      operandPaths: pipeline.compiled.operandPaths,
      format,
      definitionsDir: options.definitions,
      hashKey: process.env[HASH_KEY_VARIABLE],
    })
    const progress = startProgress(isTerminal)
    try {
      const report = await run({
        pipeline,
        source,
        decode: decoder.decode,
        warehouseUrl: warehouse.url,
        watermark,
        onBatch: (soFar, chunk) => progress.update(soFar, chunk),
        signal,
      })
      progress.stop()
      const look = { isColoured: process.stdout.isTTY === true, columns: process.stdout.columns }
      process.stdout.write(await screen(warehouse, report, pipeline.definitions.journeys, look))
      if (signal.aborted) {
        throw new UserError('interrupted; what is committed stays, run it again for the rest')
      }
    } finally {
      progress.stop()
      await decoder.close()
    }
  } finally {
    await warehouse.close()
  }
}

await main(program)
