/** What a command leaves nowhere, however it ends. */

import { rmSync } from 'node:fs'

/** Removes a file or a directory after `work`, at once where Ctrl-C or SIGTERM ends the command: it
 * may hold what customers did. */
export async function withTemporary<Result>(
  path: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const remove = () => rmSync(path, { recursive: true, force: true })
  const stop = (_signal: NodeJS.Signals, number: number) => {
    remove()
    process.exit(128 + number)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  try {
    return await work()
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    remove()
  }
}
