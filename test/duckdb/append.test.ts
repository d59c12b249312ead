/** Appended texts: dictionaries that tables share, of many chunks and long texts. */

import { afterEach, beforeEach, expect, test } from 'vitest'
import { Texts } from '../../pipeline/base/texts.ts'
import { DuckDBFile } from '../../pipeline/duckdb/file.ts'
import { RUNNING } from '../../pipeline/duckdb/resource-limits.ts'
import type { Appended } from '../../pipeline/duckdb/commit-rows.ts'
import { arrowTable } from '../../pipeline/warehouse/arrow/arrow.ts'
import { SharedTexts } from '../../pipeline/warehouse/arrow/pack.ts'

const ROWS = 5_000

let file: DuckDBFile
beforeEach(async () => {
  file = await DuckDBFile.open(':memory:', RUNNING)
  for (const table of ['a', 'b']) {
    await file.run(`create table main.${table} (path varchar, n bigint)`)
  }
})
afterEach(() => file.close())

/** Texts of every length around that of an inline text, and some of many pages. */
const textOf = (i: number) => `${'žx'.repeat(i % 17 === 0 ? 20_000 : i % 11)}${i}`

/** Returns the texts of codes as rows of a table; the second column numbers the rows. */
function rowsOf(table: string, texts: SharedTexts, codes: readonly number[]): Appended {
  const columns = { subscription_name: { texts, codes: Int32Array.from(codes) } }
  const numbers = codes.map((_, row) => row)
  const rows = arrowTable(
    'applied_messages',
    { ...columns, message_id: codes.map(() => 'not stored'), publish_time: numbers },
    codes.length,
  ).select(['subscription_name', 'publish_time'])
  return { table: `main.${table}`, rows, fillings: [] }
}

const stored = async (table: string) =>
  (await file.query(`select path from ${table} order by n`)).map(({ path }) => path)

function numbered(count: number): { texts: SharedTexts; values: string[] } {
  const texts = new Texts()
  for (let i = 0; i < count; i++) texts.add(textOf(i))
  return {
    texts: SharedTexts.of(texts.column(new Uint8Array(count).fill(1))),
    values: Array.from({ length: count }, (_, code) => texts.at(code)),
  }
}

test('tables that share a dictionary have its texts, also after it is freed', async () => {
  const { texts, values } = numbered(700)
  const codes = Array.from({ length: ROWS }, (_, row) => ((row * 7) % (values.length + 1)) - 1)
  await file.appendAll([rowsOf('a', texts, codes), rowsOf('b', texts, [...codes].reverse())])
  await file.appendAll([rowsOf('b', numbered(900).texts, [])])
  const expected = codes.map((code) => values[code] ?? null)
  expect(await stored('a')).toEqual(expected)
  expect(await stored('b')).toEqual([...expected].reverse())
})

test('a commit has several dictionaries', async () => {
  const rows: Appended[] = []
  const all: string[] = []
  for (let i = 1; i <= 40; i++) {
    const { texts, values } = numbered(i)
    rows.push(rowsOf('a', texts, [...values.keys()]))
    all.push(...values)
  }
  await file.appendAll(rows)
  expect((await stored('a')).sort()).toEqual(all.sort())
})
