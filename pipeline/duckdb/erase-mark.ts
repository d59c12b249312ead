/**
 * Mark of an erasure in progress: a file beside the warehouse, written before anything is deleted
 * and removed at the end. After a crash it tells the next writer what remains to be done.
 *
 * The mark changes by a rename, so it is always in one phase. In phase `erasing`, the warehouse
 * file and its log are valid: if the batch of the erasure is recorded, the erasure took place and
 * the file must be rewritten. In phase `replacing`, the rewritten copy is complete: the log of the
 * old file must be removed before the copy replaces it, or DuckDB would read both together and
 * reject them.
 */

import { existsSync, readFileSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

export type EraseMark = {
  phase: 'erasing' | 'replacing'
  /** Batch of the erasure. Null in marks of earlier versions: the file must then be rewritten in
   * any case. */
  batch: number | null
}

const markOf = (path: string) => `${path}.erasing`
const draftOf = (path: string) => `${path}.erasing.new`

/** Returns the mark beside a warehouse file, or null. */
export function eraseMarkOf(path: string): EraseMark | null {
  if (path === ':memory:' || !existsSync(markOf(path))) return null
  const text = readFileSync(markOf(path), 'utf8')
  return text === '' ? { phase: 'erasing', batch: null } : (JSON.parse(text) as EraseMark)
}

/** Writes or changes the mark; durable when it returns. */
export async function setEraseMark(path: string, mark: EraseMark): Promise<void> {
  if (path === ':memory:') return
  const draft = await open(draftOf(path), 'w')
  try {
    await draft.writeFile(JSON.stringify(mark))
    await draft.sync()
  } finally {
    await draft.close()
  }
  await rename(draftOf(path), markOf(path))
  await syncFolder(path)
}

/** Removes the mark and its draft. */
export async function removeEraseMark(path: string): Promise<void> {
  await rm(draftOf(path), { force: true })
  await rm(markOf(path), { force: true })
}

/** Removes the draft of a mark that was never set. Returns whether there was one. */
export async function removeDraft(path: string): Promise<boolean> {
  const hasDraft = path !== ':memory:' && existsSync(draftOf(path))
  if (hasDraft) await rm(draftOf(path), { force: true })
  return hasDraft
}

/** Makes a rename in the folder of a file durable if the system supports it. A killed process does
 * not depend on it. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r').catch(() => null)
  await folder?.sync().catch(() => undefined)
  await folder?.close()
}
