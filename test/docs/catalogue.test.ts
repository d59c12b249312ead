/** The generated tables of `sql/README.md` are those of the catalogue. */

import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { COLUMN_DESCRIPTIONS } from '../../pipeline/warehouse/descriptions/columns.ts'
import { VIEW_DESCRIPTIONS } from '../../pipeline/warehouse/descriptions/views.ts'
import { catalogueOf } from './catalogue.ts'

const PAGE = 'sql/README.md'

test.each(['sql/views', 'sql/analysis'])('lists every view and column of %s', async (folder) => {
  const page = readFileSync(PAGE, 'utf8')
  const [begin, end] = [`<!-- generated: ${folder} -->\n`, `<!-- end: ${folder} -->`]
  const before = page.slice(0, page.indexOf(begin) + begin.length)
  const after = page.slice(page.indexOf(end))
  const generated = `${before}\n${await catalogueOf(folder)}\n${after}`
  if (process.env['UPDATE_DOCS'] === undefined) expect(page).toBe(generated)
  else writeFileSync(PAGE, generated)
})

test('describes nothing that does not exist', async () => {
  const listed = (await catalogueOf('sql/views')) + (await catalogueOf('sql/analysis'))
  for (const view of Object.keys(VIEW_DESCRIPTIONS)) expect(listed).toContain(`#### \`${view}\``)
  for (const column of Object.keys(COLUMN_DESCRIPTIONS)) {
    const [view = '', name = ''] = column.includes('.') ? column.split('.') : ['', column]
    expect(listed).toContain(`| \`${name}\` |`)
    if (view !== '') expect(listed).toContain(`#### \`${view}\``)
  }
})
