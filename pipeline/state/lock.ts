/** Lock of a folder against other processes. */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Locks the folder for this process. A lock is void if its process is gone, or has this process's
 * id from before a restart. */
export function lock(dir: string): boolean {
  mkdirSync(dir, { recursive: true })
  const path = join(dir, 'lock')
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return true
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
      const holder = Number(readFileSync(path, 'utf8'))
      if (holder !== process.pid && isAlive(holder)) return false
      rmSync(path, { force: true })
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Removes the lock of this process. */
export function unlock(dir: string): void {
  rmSync(join(dir, 'lock'), { force: true })
}
