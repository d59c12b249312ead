/** The summary after a run that continued a long history. */

import { afterAll, expect, test } from 'vitest'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { beforeRun, runParts } from '../../scripts/cli/screen-of-run.ts'
import { Harness } from '../support/dump.ts'

const definitions = makeDefinitions({
  journeys: [
    {
      id: 'j',
      version: 1,
      initial: 'a',
      states: { a: { on: { Go: 'b' } }, b: { on: { Back: 'a' } } },
    },
  ],
})
const warehouse = duckdbWarehouse(':memory:')
const harness = new Harness(definitions, warehouse)
afterAll(() => warehouse.close())

const START = 1_772_359_200_000
const event = (id: string, name: string, device: string, minute: number) =>
  JSON.stringify({
    event_id: id,
    name,
    occurred_at: START + minute * 60_000,
    identifiers: { anonymous_id: device },
  })

test('counts the transitions of the run and nothing of the history before it', async () => {
  await harness.feed([event('1', 'Go', 'old', 0), event('2', 'Go', 'both', 1)])
  await harness.feed([
    event('3', 'Back', 'both', 2),
    event('4', 'Go', 'both', 3),
    event('5', 'Go', 'new', 4),
  ])
  const parts = await runParts(warehouse, 1)
  expect(parts.map(({ title, lines }) => [title, ...lines])).toEqual([
    [
      'Changes of this run',
      expect.stringMatching(/^\d+ rows inserted, \d+ superseded, 0 effects$/),
    ],
    [
      'Commonest transitions of this run',
      '       2 ×  a → b  (j, 2 people)',
      '       1 ×  b → a  (j, 1 person)',
    ],
    [
      'One person of this run: anonymous_id:both',
      '2026-03-01 10:02:00  j: b → a  (Back)',
      '2026-03-01 10:03:00  j: a → b  (Go)',
    ],
    ['Whole history', expect.any(String), '  npm run report'],
  ])
})

test('counts the whole history while it is short', async () => {
  expect(await beforeRun(warehouse, 1)).toBeNull()
})
