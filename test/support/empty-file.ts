/**
 * DuckDB files with the schema and without rows. Creating a schema takes a third of a second, copying
 * a file a hundredth of that. Tests of creation, and of commands that print it, create their own.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'

const content = await emptyContent()

async function emptyContent(): Promise<Buffer> {
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
  const path = join(dir, 'empty.duckdb')
  const warehouse = duckdbWarehouse(path)
  await warehouse.open()
  await warehouse.close()
  const bytes = readFileSync(path)
  rmSync(dir, { recursive: true })
  return bytes
}

/** Writes a warehouse without rows, and returns its path. */
export function emptyFile(path: string): string {
  writeFileSync(path, content)
  return path
}
