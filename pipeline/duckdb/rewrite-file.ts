/**
 * A DuckDB file written anew. What is deleted stays in the blocks of a file until they are written
 * over; a file that is made of what remains has none of it. The old one is replaced at the end, by
 * a rename, so that a crash leaves one or the other.
 *
 * That a file is to be written anew is said by another beside it, made before anything is deleted
 * and removed at the very end: after a crash whoever opens the warehouse next finishes the work.
 */

import { existsSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { DuckDBFile } from './file.ts'
import type { Means } from './resource-limits.ts'
import { literal, schema, storageOf } from './schema.ts'
import { TABLES, VERSIONED_NAMES, type TableName } from '../warehouse/tables.ts'

const markOf = (path: string) => `${path}.erasing`

/** Says that the file is to be written anew, whatever happens to this process. */
export async function markForRewrite(path: string): Promise<void> {
  if (path !== ':memory:') await writeFile(markOf(path), '')
}

/** Takes that back. */
export async function unmarkForRewrite(path: string): Promise<void> {
  await rm(markOf(path), { force: true })
}

export function isMarkedForRewrite(path: string): boolean {
  return path !== ':memory:' && existsSync(markOf(path))
}

/** Closes the file and gives the one that has taken its place; one in memory stays. */
export async function rewritten(file: DuckDBFile, path: string, means: Means): Promise<DuckDBFile> {
  if (path === ':memory:') return file
  const fresh = `${path}.rewritten`
  await removeFile(fresh)
  const made = await DuckDBFile.open(fresh, means)
  for (const statement of schema().statements) await made.run(statement)
  made.close()
  file.dropAppenders()
  await file.run(`attach ${literal(fresh)} as rewritten`)
  const pending = VERSIONED_NAMES.map((table) => `${table}_pending`)
  for (const table of [...(Object.keys(TABLES) as TableName[]).map(storageOf), ...pending]) {
    await file.run(`insert into rewritten.${table} by name select * from ${table}`)
  }
  await file.run('detach rewritten')
  file.close()
  await rename(fresh, path)
  await rm(`${path}.tmp`, { recursive: true, force: true })
  await unmarkForRewrite(path)
  return DuckDBFile.open(path, means)
}

/** With what DuckDB keeps beside it. */
async function removeFile(path: string): Promise<void> {
  for (const end of ['', '.wal', '.tmp']) await rm(path + end, { recursive: true, force: true })
}
