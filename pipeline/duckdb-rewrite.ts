/**
 * A DuckDB file written anew. What is deleted stays in the blocks of a file until they are written
 * over; a file that is made of what remains has none of it. The old one is replaced at the end, by
 * a rename, so that a crash leaves one or the other.
 */

import { rename, rm } from 'node:fs/promises'
import { DuckDBFile } from './duckdb-file.ts'
import { schemaStatements, storageOf } from './duckdb-schema.ts'
import { TABLES, VERSIONED_NAMES, type TableName } from './tables.ts'

/** Closes the file and gives the one that has taken its place. Nothing must be pending in it. */
export async function rewritten(
  file: DuckDBFile,
  path: string,
  memory: string,
): Promise<DuckDBFile> {
  const fresh = `${path}.rewritten`
  for (const end of ['', '.wal', '.tmp']) await rm(fresh + end, { recursive: true, force: true })
  const made = await DuckDBFile.open(fresh, memory)
  for (const statement of schemaStatements()) await made.run(statement)
  made.close()
  file.dropAppenders()
  await file.run(`attach '${fresh.replaceAll("'", "''")}' as rewritten`)
  const pending = VERSIONED_NAMES.map((table) => `${table}_pending`)
  for (const table of [...(Object.keys(TABLES) as TableName[]).map(storageOf), ...pending]) {
    await file.run(`insert into rewritten.${table} by name select * from ${table}`)
  }
  await file.run('detach rewritten')
  file.close()
  await rename(fresh, path)
  const reopened = await DuckDBFile.open(path, memory)
  for (const statement of schemaStatements()) await reopened.run(statement)
  return reopened
}
