/** Classes of DuckDB failures, each from a real file or a real limit. */

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { faultOf } from '../../pipeline/duckdb/engine-errors.ts'
import { DuckDBFile } from '../../pipeline/duckdb/file.ts'
import { RUNNING } from '../../pipeline/duckdb/resource-limits.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'

// The name of the folder contains phrases of error messages, which must not affect the class.
const dir = mkdtempSync(join(tmpdir(), 'Could not set lock on file corrupt block-'))
afterAll(() => rmSync(dir, { recursive: true }))

const whole = join(dir, 'whole.duckdb')
beforeAll(async () => {
  const warehouse = duckdbWarehouse(whole)
  await warehouse.open()
  await warehouse.close()
})

/** Writes the checksum of a block, which is its first field. */
function seal(header: Buffer): void {
  let sum = 5381n
  for (let at = 8; at < 4096; at += 8) {
    sum ^= BigInt.asUintN(64, header.readBigUInt64LE(at) * 0xbf58476d1ce4e5b9n)
  }
  header.writeBigUInt64LE(sum, 0)
}

test.each<[what: string, edit: (bytes: Buffer) => Buffer | undefined, message: string]>([
  ['a flipped bit in a block', (bytes) => void (bytes[bytes.length - 99]! ^= 4), 'is damaged'],
  ['a flipped bit in a header', (bytes) => void (bytes[5000]! ^= 4), 'is damaged'],
  ['a file cut short', (bytes) => bytes.subarray(0, bytes.length / 2), 'is damaged'],
  ['a file cut in its header', (bytes) => bytes.subarray(0, 100), 'is damaged'],
  ['a text file', () => Buffer.from('Could not set lock on file\n'), 'is not a DuckDB file'],
  ['an empty file', () => Buffer.alloc(0), 'is not a DuckDB file'],
  [
    'a file of a later storage version',
    (bytes) => {
      bytes.writeBigUInt64LE(999n, 12)
      seal(bytes)
      return bytes
    },
    'was written by another version of DuckDB',
  ],
])('opening %s fails with its class', async (what, edit, message) => {
  const path = join(dir, `${what.replaceAll(' ', '-')}.duckdb`)
  const bytes = readFileSync(whole)
  writeFileSync(path, edit(bytes) ?? bytes)
  await expect(duckdbWarehouse(path).open()).rejects.toThrow(message)
})

test.each([0, 4_096, 8_192])('replaces a scratch file cut at %i bytes', async (length) => {
  const path = join(dir, `scratch-${length}.duckdb`)
  const cut = readFileSync(whole).subarray(0, length)
  writeFileSync(path, cut)
  await expect(duckdbWarehouse(path).open()).rejects.toThrow(path)
  expect(readFileSync(path)).toEqual(cut)
  const scratch = duckdbWarehouse(path, { isScratch: true })
  expect(await scratch.open()).toMatchObject({ batch: 0 })
  await scratch.close()
})

test('reports a log of another file as damage, not as a lock', async () => {
  const path = join(dir, 'log.duckdb')
  const other = join(dir, 'other.duckdb')
  copyFileSync(whole, path)
  const file = await DuckDBFile.open(other, RUNNING)
  await file.run('create table t as select 1 as i')
  await file.run('checkpoint')
  await file.run('insert into t values (2)')
  copyFileSync(`${other}.wal`, `${path}.wal`)
  file.close()
  await expect(duckdbWarehouse(path).open()).rejects.toThrow(/is damaged .*WAL does not match/)
})

test('reports too little memory', async () => {
  const file = await DuckDBFile.open(':memory:', { memory: '10MB', threads: 1 })
  await file.run("set temp_directory = ''")
  await expect(file.run('create table t as select range as i from range(9000000)')).rejects.toThrow(
    'DuckDB needs more memory than its limit',
  )
  file.close()
})

/** Limits the file size of the process; `disk.test.ts` fills a disk. */
test.skipIf(process.platform === 'win32')('reports a full disk', () => {
  const path = join(dir, 'full.duckdb')
  const script =
    `const { DuckDBFile } = await import(${JSON.stringify(`${process.cwd()}/pipeline/duckdb/file.ts`)});` +
    `const file = await DuckDBFile.open(${JSON.stringify(path)}, { memory: '100MB', threads: 1 });` +
    `await file.run('create table t as select range as i, random() as r from range(2000000)')` +
    `.catch((thrown) => console.log(thrown.name + ': ' + thrown.message));process.exit(0)`
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', script]
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -f 3000; exec "$@"', 'sh', ...node], {
    encoding: 'utf8',
  })
  expect(stdout).toMatch(/^UserError: the disk of .* is full: .*File too large/)
})

test.each([
  ['Catalog Error: Table with name lock does not exist!', null],
  ['IO Error: Cannot open file "/Out of Memory Error: /x": No such file or directory', null],
  ['Conversion Error: Could not convert string "Corrupt database file" to INT32', null],
  ['IO Error: Could not write file "/a": No space left on device', 'disk'],
  [
    'TransactionContext Error: Failed to commit: Could not write file "/a": No space left on device',
    'disk',
  ],
  [
    'FATAL Error: Failed: database has been invalidated because of a previous fatal error.\n' +
      'Original error: "IO Error: Could not write file "/a": No space left on device"',
    'disk',
  ],
] as const)('the class of %j is %s', (message, fault) => {
  expect(faultOf(message)).toBe(fault)
})
