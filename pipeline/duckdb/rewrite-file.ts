/**
 * Rewrites a DuckDB file after an erasure. Deleted rows remain in the blocks of a file until they
 * are overwritten; a copy of the remaining rows does not contain them. The copy replaces the file
 * by a rename. The mark (`erase-mark.ts`) records the progress, and a crash at any point leaves one
 * valid file.
 */

import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { removeEraseMark, setEraseMark, syncFolder } from './erase-mark.ts'
import { DuckDBFile } from './file.ts'
import type { Means } from './resource-limits.ts'
import { literal, schema } from './schema.ts'
import { pendingOf, storageOf } from './stored-tables.ts'
import { TABLES, VERSIONED_NAMES, type TableName } from '../warehouse/tables.ts'

/** Returns the path of the copy. */
export const copyOf = (path: string) => `${path}.rewritten`

/** Suffixes of files that DuckDB keeps beside a database: its log, also during a checkpoint. */
const LOGS = ['.wal', '.wal.checkpoint', '.wal.recovery']

/**
 * Closes the file and returns the copy that has replaced it; a warehouse in memory stays as it is.
 * The mark must be set. If the copy fails, it is removed and the file stays open.
 */
export async function rewritten(
  file: DuckDBFile,
  path: string,
  means: Means,
  batch: number | null,
): Promise<DuckDBFile> {
  if (path === ':memory:') return file
  try {
    await copy(file, copyOf(path), means)
    await setEraseMark(path, { phase: 'replacing', batch })
  } catch (thrown) {
    await file.run('detach database if exists rewritten').catch(() => undefined)
    await removeFile(copyOf(path))
    throw thrown
  }
  file.close()
  await replaceFile(path)
  return DuckDBFile.open(path, means)
}

/** Replaces the file by the complete copy. The mark must be in phase `replacing`; after a crash
 * this is repeated from the start. */
export async function replaceFile(path: string): Promise<void> {
  const fresh = copyOf(path)
  if (existsSync(fresh)) {
    for (const end of LOGS) await rm(path + end, { force: true })
    await rename(fresh, path)
    await syncFolder(path)
  }
  await rm(`${path}.tmp`, { recursive: true, force: true })
  await removeEraseMark(path)
}

/** Removes a DuckDB file and everything that DuckDB keeps beside it, the file itself last. */
export async function removeFile(path: string): Promise<void> {
  for (const end of [...LOGS, '.tmp', '']) await rm(path + end, { recursive: true, force: true })
}

async function copy(file: DuckDBFile, fresh: string, means: Means): Promise<void> {
  await removeFile(fresh)
  const made = await DuckDBFile.open(fresh, means)
  try {
    const { statements, comments } = schema()
    await made.transaction(() => made.run([...statements, ...comments].join(';\n')))
  } finally {
    made.close()
  }
  file.dropAppenders()
  await file.run(`attach ${literal(fresh)} as rewritten`)
  const stored = (Object.keys(TABLES) as TableName[]).map(storageOf)
  for (const table of [...stored, ...VERSIONED_NAMES.map(pendingOf)]) {
    await file.run(`insert into rewritten.${table} by name select * from ${table}`)
  }
  await file.run('checkpoint rewritten')
  await file.run('detach rewritten')
}
