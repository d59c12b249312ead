/**
 * Opens the file of a warehouse, and handles what a crash during an erasure left beside it.
 *
 * A writer first completes or reverts the erasure, and reports which. A reader changes nothing: it
 * reads the valid file and reports that an erasure is unfinished.
 */

import { existsSync } from 'node:fs'
import { eraseMarkOf, removeDraft, removeEraseMark, type EraseMark } from './erase-mark.ts'
import { DuckDBFile } from './file.ts'
import type { Means } from './resource-limits.ts'
import { copyOf, removeFile, replaceFile, rewritten } from './rewrite-file.ts'
import { schema, STAMP } from './schema.ts'
import { messageOf, UserError } from '../base/errors.ts'
import { shellWord } from '../base/text.ts'

export type Opening = {
  path: string
  means: Means
  /** Called with one line when an erasure was completed or reverted, or is unfinished. */
  onNotice: (notice: string) => void
}

const UNDONE =
  'an interrupted erasure has been undone: nothing was erased; run npm run forget again'

/** Returns the command that finishes an erasure and changes nothing else. */
const finishing = (path: string) => `npm run compact -- --warehouse ${shellWord(`duckdb:${path}`)}`

/**
 * Opens the file for writing, with the schema of `makeSchema`. Throws a `UserError` if an erasure
 * cannot be finished; the file stays unchanged and readable.
 */
export async function openToWrite(
  { path, means, onNotice }: Opening,
  makeSchema: (file: DuckDBFile) => Promise<void>,
): Promise<DuckDBFile> {
  const mark = eraseMarkOf(path)
  if (mark?.phase === 'replacing') await replaceFile(path)
  const hasDraft = await removeDraft(path)
  const file = await DuckDBFile.open(path, means)
  await makeSchema(file)
  const notice = (text: string) => onNotice(`${path}: ${text}`)
  if (mark === null) {
    if (hasDraft) notice(UNDONE)
    return file
  }
  if (mark.phase === 'replacing') {
    notice(completed(mark))
    return file
  }
  if (!(await isErased(file, mark))) {
    await removeFile(copyOf(path))
    await removeEraseMark(path)
    notice(UNDONE)
    return file
  }
  try {
    const next = await rewritten(file, path, means, mark.batch)
    notice(completed(mark))
    return next
  } catch (thrown) {
    file.close()
    throw unfinished(path, thrown)
  }
}

/** Opens the file for reading. Returns null if its schema must be created first. */
export async function openToRead({ path, means, onNotice }: Opening): Promise<DuckDBFile | null> {
  const mark = eraseMarkOf(path)
  const isCopy = mark?.phase === 'replacing' && existsSync(copyOf(path))
  const file = await DuckDBFile.open(isCopy ? copyOf(path) : path, means, 'read')
  const [found] = await file.query(STAMP)
  if (found?.['hash'] !== schema().hash) {
    file.close()
    return null
  }
  if (mark !== null) {
    const isDone = mark.phase === 'replacing' || (await isErased(file, mark))
    onNotice(
      isDone
        ? `${path}: an erasure is unfinished: ${inBatch(mark)}its rows are gone from the tables, but ` +
            `their bytes may still be in the file; finish it with ${finishing(path)}`
        : `${path}: an erasure was interrupted before it was committed: nothing was erased; undo ` +
            `what it left with ${finishing(path)}, then run npm run forget again`,
    )
  }
  return file
}

/** Returns the error of a committed erasure whose file could not be rewritten. */
export function unfinished(path: string, thrown: unknown): UserError {
  return new UserError(
    `an erasure in ${path} is unfinished: its rows are gone from the tables, but the file could ` +
      `not be rewritten: ${messageOf(thrown).split('\n')[0]}; free as much space as the file has, ` +
      `then finish it with ${finishing(path)}`,
  )
}

/** Returns whether the erasure took place. True without a batch, so that the file is rewritten. */
async function isErased(file: DuckDBFile, { batch }: EraseMark): Promise<boolean> {
  if (batch === null) return true
  const [head] = await file.query('select max(batch) as batch from batches')
  return ((head?.['batch'] ?? 0) as number) >= batch
}

function completed(mark: EraseMark): string {
  return `an interrupted erasure has been completed: ${inBatch(mark)}the file has been rewritten`
}

const inBatch = ({ batch }: EraseMark) => (batch === null ? '' : `batch ${batch} is committed, `)
