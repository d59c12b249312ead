/** A kill during an erasure leaves either all or none of the person's rows. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { elapsedMs } from '../../pipeline/base/clock.ts'
import { loadDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { HASH_KEY_VARIABLE } from '../../pipeline/decode/hash-key.ts'
import { Random } from '../../scripts/sample/random.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { dump, Harness } from '../support/dump.ts'
import { isLong } from '../support/long.ts'
import { isNamedIn } from '../support/named-in-file.ts'

const KILLS = Number(process.env['KILLS'] ?? 1)
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

/** Runs the command, killed after `ms` if given. Returns the milliseconds it took. */
async function forgetting(database: string, user: string, ms?: number): Promise<number> {
  const startedAt = elapsedMs()
  const options = ['--warehouse', `duckdb:${database}`, '--user', user, '--yes']
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/forget.ts', ...options], {
    stdio: 'ignore',
    env: { ...process.env, [HASH_KEY_VARIABLE]: 'test' },
  })
  const timer = ms === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), ms)
  const [code] = await once(child, 'exit')
  clearTimeout(timer)
  if (ms === undefined) expect(code).toBe(0)
  return elapsedMs() - startedAt
}

async function tablesOf(database: string) {
  const warehouse = duckdbWarehouse(database)
  await warehouse.open()
  const events = await warehouse.query('select event_id from events order by event_id')
  const certificates = await warehouse.query('select counts from erasures')
  const tables = { ...(await dump(warehouse)), events, certificates: certificates.length }
  await warehouse.close()
  return JSON.stringify(tables)
}

test.skipIf(!isLong)(
  `${KILLS} kills leave either all or none of the rows of the person`,
  async () => {
    const first = join(dir, 'first.duckdb')
    const harness = new Harness(await loadDefinitions('definitions'), duckdbWarehouse(first))
    await harness.feed([...new Shop(7).lines(8_000)])
    const [busiest] = await harness.warehouse.query(
      `select profile_id from event_profiles where profile_id like 'user_id:%'
     group by profile_id order by count(*) desc, profile_id limit 1`,
    )
    await harness.warehouse.close()
    const user = busiest?.['profile_id'] as string
    const gone = join(dir, 'gone.duckdb')
    copyFileSync(first, gone)
    const wholeMs = await forgetting(gone, user)
    expect(isNamedIn(first, user)).toBe(true)
    expect(isNamedIn(gone, user)).toBe(false)
    expect(readdirSync(dir).sort()).toEqual(['first.duckdb', 'gone.duckdb'])
    const [before, after] = [await tablesOf(first), await tablesOf(gone)]
    expect(before === after).toBe(false)
    const random = new Random(11)
    for (let kill = 0; kill < KILLS; kill++) {
      const database = join(dir, `killed-${kill}.duckdb`)
      copyFileSync(first, database)
      await forgetting(database, user, random.between(0.4 * wholeMs, wholeMs))
      const found = await tablesOf(database)
      if (found === before) await forgetting(database, user)
      else expect(found === after).toBe(true)
      expect((await tablesOf(database)) === after).toBe(true)
      expect(isNamedIn(database, user)).toBe(false)
    }
  },
)
