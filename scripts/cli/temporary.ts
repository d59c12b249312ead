/** Temporary files of a command, removed however it ends. */

import { rmSync } from 'node:fs'
import { onInterrupt } from './interrupt.ts'

/** Runs `work`, then removes a file or directory, also on Ctrl-C and SIGTERM: it may contain
 * customer data. */
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
