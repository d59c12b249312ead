/** Files and processes that a command leaves nowhere, however it ends. */

import { rmSync } from 'node:fs'
import { onInterrupt } from './interrupt.ts'

/** Removes a file or a directory after `work`, at once where Ctrl-C or SIGTERM ends the command: it
 * may hold what customers did. */
export async function withTemporary<Result>(
  path: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const remove = () => rmSync(path, { recursive: true, force: true })
  const off = onInterrupt(remove)
  try {
    return await work()
  } finally {
    off()
    remove()
  }
}
