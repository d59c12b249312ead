/**
 * Erasure on a disk that is too small for rewriting the file. The process has a limit on file sizes
 * that is enough for the commit, but not for the copy.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { Harness } from '../support/dump.ts'
import { isLong } from '../support/long.ts'
import { isNamedIn } from '../support/named-in-file.ts'

const dir = mkdtempSync(join(tmpdir(), "desire path's-"))
afterAll(() => rmSync(dir, { recursive: true }))

/** Runs a command with a limit on file sizes, in blocks of 512 bytes. */
function limited(blocks: number, script: string, ...args: string[]) {
  const node = [process.execPath, '--import', 'tsx', `scripts/${script}.ts`, ...args]
  const shell = ['-c', `ulimit -f ${blocks}; exec "$@"`, 'sh', ...node]
  const { status, stdout, stderr } = spawnSync('sh', shell, { encoding: 'utf8' })
  return { status, stdout, stderr }
}

const COMMIT_FITS = 2_000
const NOTHING_FITS = 64

test.skipIf(!isLong || process.platform === 'win32')(
  'an erasure without space for the rewrite is readable, and the next writer finishes it',
  async () => {
    const database = join(dir, 'w.duckdb')
    const harness = new Harness(await loadDefinitions('definitions'), duckdbWarehouse(database))
    await harness.feed([...new Shop(7).lines(800)])
    const [person] = await harness.warehouse.query(
      "select profile_id as id from event_profiles where profile_id like 'user_id:%' limit 1",
    )
    await harness.warehouse.close()
    const user = person?.['id'] as string
    const isNamed = () => isNamedIn(database, user)
    const files = () => readdirSync(dir).map((name) => [name, statSync(join(dir, name)).size])
    const where = ['--warehouse', `duckdb:${database}`]

    const erased = limited(COMMIT_FITS, 'forget', ...where, '--user', user, '--yes')
    expect(erased.status).toBe(1)
    expect(erased.stderr).toMatch(/^error: an erasure in .* is unfinished: .*File too large/)
    expect(isNamed()).toBe(true)
    const left = files()

    const read = limited(NOTHING_FITS, 'status', ...where)
    expect({ status: read.status, lines: read.stderr.trim().split('\n').length }).toEqual({
      status: 0,
      lines: 1,
    })
    expect(read.stdout).toContain('from forget')
    expect(read.stderr).toContain('an erasure is unfinished: batch 2 is committed')
    expect(files()).toEqual(left)

    const path = join(dir, 'more.ndjson')
    writeFileSync(path, [...new Shop(8).lines(10)].join('\n'))
    const fed = limited(COMMIT_FITS, 'start', ...where, path)
    expect(fed.status).toBe(1)
    expect(fed.stderr).toMatch(/^error: an erasure in .* is unfinished: /)

    // The printed command is quoted for a shell.
    const finish = /finish it with (.*)\n/.exec(read.stderr)?.[1] as string
    const finished = spawnSync('sh', ['-c', finish], { encoding: 'utf8' })
    expect(finished.stderr).toContain('an interrupted erasure has been completed: batch 2')
    expect(finished.status).toBe(0)
    expect(isNamed()).toBe(false)
    expect(readdirSync(dir).sort()).toEqual(['more.ndjson', 'w.duckdb'])
    expect(limited(NOTHING_FITS, 'status', ...where).stderr).toBe('')
  },
)
