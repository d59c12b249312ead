/** Headers of the SQL files, and parameters of shared queries. */

import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sqlFiles } from '../../pipeline/warehouse/sql-files.ts'
import { readRelations } from '../support/read-relations.ts'

test('every view declares the relations that its text reads', async () => {
  const views = [...sqlFiles('views'), ...sqlFiles('analysis')]
  const declared = views.map(({ name, reads }) => ({ name, reads }))
  const found: typeof declared = []
  for (const { name, text } of views) found.push({ name, reads: await readRelations(text) })
  expect(declared).toEqual(found)
})

test.each(['microbatch', 'operations', 'query', 'warehouse'])(
  'queries in pipeline/%s do not number their parameters, because BigQuery rejects numbers',
  (folder) => {
    const files = readdirSync(`pipeline/${folder}`)
    const numbered = files.filter((file) =>
      /\$[1-9]/.test(readFileSync(`pipeline/${folder}/${file}`, 'utf8')),
    )
    expect(numbered).toEqual([])
  },
)
