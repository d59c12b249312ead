/**
 * `npm run test:gcp -- --project P`: what only a real project can say, in a dataset made for it and
 * dropped at the end, also after Ctrl-C; nothing else of the project is touched. It costs a few
 * cents. One line a test: `ok`, `FAILED`, or `told` for what is a measurement and has no right
 * answer. Exit 1 when one failed.
 */

import { randomUUID } from 'node:crypto'
import { BigQuery } from '@google-cloud/bigquery'
import { messageOf, UserError } from '../../pipeline/base/errors.ts'
import { BigQueryClient } from '../../pipeline/bigquery/client.ts'
import { atOf, migrate, planOf } from '../../pipeline/bigquery/migrate.ts'
import { bigqueryPlaceOf } from '../../pipeline/warehouse-url.ts'
import { command } from '../cli/command.ts'
import { interruption } from '../cli/interrupt.ts'
import type { Scene, Verdict } from './scene.ts'
import { TRIALS } from './trials.ts'

const ROUNDS_DEFAULT = '100'
type Options = { project: string; location?: string; rounds: string }

export const program = command(
  'npm run test:gcp',
  'Tests a real Google Cloud project in a dataset that it drops afterwards.',
)
  .requiredOption('--project <id>', 'project in which datasets can be created')
  .option('--location <region>', 'location of the dataset (default: US)')
  .option('--rounds <n>', 'number of races between two writers', ROUNDS_DEFAULT)
  .addHelpText(
    'after',
    '\nExpect half an hour, most of it races, and a few cents. It needs the role BigQuery User\n' +
      'and gcloud auth application-default login.',
  )
  .action(async ({ project, location, rounds }: Options) => {
    if (!/^[1-9]\d{0,3}$/.test(rounds)) {
      throw new UserError(
        `--rounds ${JSON.stringify(rounds)} is not valid: use a number from 1 to 9999`,
        2,
      )
    }
    const dataset = `desire_path_test_${randomUUID().replaceAll('-', '')}`
    const place = bigqueryPlaceOf(`bigquery:${project}.${dataset}`)
    const { emulator } = place
    const endpoint =
      emulator === undefined
        ? {}
        : { apiEndpoint: `http://${emulator.host}:${emulator.restPort}`, autoRetry: false }
    const client = await BigQueryClient.connect(place)
    const api = new BigQuery({ projectId: project, ...endpoint })
    const scene: Scene = { place, client, api, at: atOf(place), rounds: Number(rounds) }
    const signal = interruption(() => {
      process.stderr.write('stopping after this test; the dataset is dropped\n')
    })
    process.stdout.write(`in ${project}.${dataset}, which is dropped at the end\n`)
    try {
      await migrate(client, scene.at, await planOf(client, scene.at), location)
      for (const { name, run } of TRIALS) {
        if (signal.aborted) break
        const { isRight, note } = await run(scene).catch((thrown: unknown): Verdict => ({
          isRight: false,
          note: messageOf(thrown),
        }))
        const word = isRight === null ? 'told' : isRight ? 'ok' : 'FAILED'
        process.stdout.write(`${word.padEnd(6)} ${name}: ${note}\n`)
        if (isRight === false) process.exitCode = 1
      }
    } finally {
      await api
        .dataset(dataset)
        .delete({ force: true })
        .catch((thrown: unknown) => {
          if ((thrown as { code?: unknown }).code === 404) return
          const how = `bq rm -r -f -d ${project}:${dataset}`
          throw new UserError(`the dataset is not dropped: ${messageOf(thrown)}; ${how}`)
        })
    }
  })
