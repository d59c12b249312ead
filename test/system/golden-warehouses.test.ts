/**
 * Warehouse files in `golden/warehouses/`. Every version opens, verifies and continues `current`, and
 * refuses the others by their number. A version that changes a layout or an encoding renames `current`
 * to what it refuses (`layout-1`, `identifier-1`) and makes a new file: run this test with
 * `UPDATE_GOLDEN=1`.
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { Pipeline } from '../../pipeline/microbatch/pipeline.ts'
import { replayEverything } from '../../pipeline/operations/replay-all.ts'
import { compareWarehouses } from '../../pipeline/query/compare-warehouses.ts'
import { failedChecks } from '../../pipeline/warehouse/integrity-checks.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { reference, VIEWS } from '../reference/reference.ts'
import { dump, Harness, landed, sorted } from '../support/dump.ts'
import * as history from '../support/histories/golden-history.ts'
import { expectOutbox } from '../support/outbox.ts'
import { emptyWarehouse } from '../support/reused-warehouse.ts'

const GOLDEN = 'test/golden/warehouses'
const END = '.duckdb.br'
const REFUSED = readdirSync(GOLDEN)
  .filter((file) => file.endsWith(END) && file !== `current${END}`)
  .map((file) => file.slice(0, -END.length))

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

/** Returns a copy of a golden file. */
function open(name: string): Warehouse {
  const path = join(dir, `${name}.duckdb`)
  writeFileSync(path, brotliDecompressSync(readFileSync(join(GOLDEN, name + END))))
  return duckdbWarehouse(path)
}

/** Compares the tables with those of the stored events, by the reference and by a replay. */
async function expectLaw(warehouse: Warehouse): Promise<void> {
  const { watermark } = await warehouse.open()
  const expected = reference(await landed(warehouse), history.DEFINITIONS, watermark)
  const actual = await dump(warehouse)
  for (const view of VIEWS) {
    expect({ view, rows: actual[view] }).toEqual({ view, rows: sorted(expected[view] ?? []) })
  }
  await expectOutbox(warehouse, expected['effects'] ?? [])
  expect((await failedChecks(warehouse)).failed).toEqual([])
  const scratch = emptyWarehouse()
  await scratch.open()
  await replayEverything({ warehouse, scratch, definitions: history.DEFINITIONS })
  const views = await compareWarehouses(warehouse, scratch, () => undefined)
  expect(views.filter(({ differing }) => differing > 0)).toEqual([])
  await scratch.close()
}

const count = async (warehouse: Warehouse, of: string) =>
  (await warehouse.query(`select count(*) as n from ${of}`))[0]?.['n']

test.runIf(process.env['UPDATE_GOLDEN'] !== undefined)('makes the current file', async () => {
  const path = join(dir, 'made.duckdb')
  await history.makeFirstHalf(path)
  writeFileSync(join(GOLDEN, `current${END}`), brotliCompressSync(readFileSync(path)))
})

test('opens, verifies and continues the current file', async () => {
  const warehouse = open('current')
  await expectLaw(warehouse)
  const [letters, members] = [await count(warehouse, 'dead_letters'), 'cohort_members']
  expect([letters, await count(warehouse, members)]).toEqual([1, 1])
  const harness = new Harness(history.DEFINITIONS, warehouse)
  const [first = [], ...rest] = history.SECOND
  expect(await harness.feed(first)).toMatchObject({
    duplicates: history.REPEATED,
    erased: history.ERASED,
    landed: first.length - history.REPEATED - history.ERASED - 1,
  })
  harness.restart()
  for (const batch of rest) await harness.feed(batch, history.SECOND_WATERMARK)
  expect(await count(warehouse, 'dead_letters')).toBe(letters)
  await expectLaw(warehouse)
  await warehouse.close()
})

test('refuses another hash key than that of the current file', async () => {
  const warehouse = open('current')
  const opened = Pipeline.open(warehouse, history.DEFINITIONS, { hashKey: 'another' })
  await expect(opened).rejects.toThrow('DESIRE_PATH_HASH_KEY')
  await warehouse.close()
})

test.each(REFUSED)('refuses %s by its number', async (name) => {
  const [what, number] = name.split('-')
  const warehouse = open(name)
  const fed = new Harness(history.DEFINITIONS, warehouse).feed(history.SECOND[0] as string[])
  const { message } = await fed.then(
    () => new Error('the warehouse was read'),
    (thrown: Error) => thrown,
  )
  expect(message).toMatch(
    new RegExp(`${what}\\b.* ${number}, and this version of the program reads `),
  )
  const general = message
    .replace(join(dir, `${name}.duckdb`), 'FILE')
    .replace(/^\w+ state/, 'KIND state')
    .replace(/ (\d+)(, and.*?) \d+: /, ' N$2 M: ')
  expect(readFileSync('scripts/README.md', 'utf8').replaceAll(/\s+/g, ' ')).toContain(general)
  await warehouse.close().catch(() => undefined)
})
