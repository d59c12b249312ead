/** Headers of the SQL files. */

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
