/** The installed Google Cloud CLI knows every command and flag of every plan. */

import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { checkFlags } from '../../scripts/deploy/flags.ts'
import { planOf } from '../../scripts/deploy/plan.ts'
import { removalOf } from '../../scripts/deploy/removal.ts'
import type { Landing } from '../../scripts/deploy/site.ts'

const place = { project: 'my-project', dataset: 'journeys', region: 'europe-west1' }
const plan = (landing: Landing) =>
  planOf({ ...place, landing, minutes: 5, definitionsDir: 'definitions', isHashed: true })

const isThere = spawnSync('gcloud', ['--version']).status === 0
if (!isThere && process.env['REQUIRE_EMULATORS'] === '1') {
  throw new Error('the Google Cloud CLI is not installed')
}
if (!isThere) console.log('skipped: the Google Cloud CLI is not installed')

test.skipIf(!isThere)('the installed CLI knows every command and flag', async () => {
  const steps = [...plan('subscription'), ...plan('function'), ...removalOf(place)]
  const verdict = await checkFlags(steps)
  expect(verdict).toEqual({ missing: [], unknown: [], commands: 30 })
})

test.skipIf(!isThere)('an unknown flag is found', async () => {
  const command = (program: 'gcloud' | 'bq', path: string, ...args: string[]) => ({
    why: '',
    run: { program, globals: [], path: path.split(' '), args },
  })
  const { unknown } = await checkFlags([
    command('gcloud', 'pubsub topics create', 'events', '--retention=7d'),
    command('gcloud', 'pubsub themes create', 'events'),
    command('bq', 'query', '--use_standard_sql=true', 'select 1'),
  ])
  expect(unknown).toEqual([
    'bq query --use_standard_sql',
    'gcloud pubsub themes create',
    'gcloud pubsub topics create --retention',
  ])
})
