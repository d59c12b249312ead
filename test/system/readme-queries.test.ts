/** The README's questions on funnels and analysis get the answers that are printed there. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { formatInstant } from '../../pipeline/base/clock.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'

/** A number from here on is an instant. */
const INSTANTS = 1_000_000_000_000_000

test('each question has the printed answer', async () => {
  const readme = readFileSync('README.md', 'utf8')
  const [section = ''] = readme.match(/## Funnels\n.*?\n## Reading/s) ?? []
  const asked = [...section.matchAll(/```sql\n(.*?)```\n```\n(.*?)```/gs)]
  expect(asked.length).toBeGreaterThanOrEqual(5)
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
  const path = join(dir, 'small.duckdb')
  const args = ['--warehouse', `duckdb:${path}`, '--batch-size', '1000']
  execFileSync(process.execPath, ['--import', 'tsx', 'scripts/start.ts', ...args])
  const warehouse = duckdbWarehouse(path)
  await warehouse.open()
  for (const [, sql = '', printed = ''] of asked) {
    const answer = (await warehouse.query(sql)).map((row) =>
      Object.values(row).map((value) =>
        typeof value === 'number' && value > INSTANTS
          ? formatInstant(value).slice(0, 16).replace('T', ' ')
          : String(value),
      ),
    )
    const lines = printed.trim().split('\n')
    expect(lines.map((line) => line.trim().split(/\s{2,}/))).toEqual(answer)
  }
  await warehouse.close()
  rmSync(dir, { recursive: true })
})
