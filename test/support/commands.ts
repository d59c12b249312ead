/**
 * The commands as their users run them: what they print, and their exit codes. A process takes
 * longer to start than most commands to answer, so those of a test file share one; that a process
 * of their own ends, and with which code, is what `start.test.ts` and the tests of kills are for.
 */

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll } from 'vitest'

export type Asked = { script: string; args: string[]; input: string }
export type Ended = { status: number; stdout: string; stderr: string }

const TSX = pathToFileURL(resolve('node_modules/tsx/dist/loader.mjs')).href

/** Runs `scripts/SCRIPT.ts` with arguments and standard input in `cwd`, one at a time. */
export function startCommands(env: { [name: string]: string } = {}, cwd = process.cwd()) {
  let child: ChildProcess | null = null
  let death: Promise<never>
  afterAll(() => child?.kill())
  return async (script: string, args: string[], input = ''): Promise<Ended> => {
    if (child === null) {
      child = fork(resolve('test/support/command-process.ts'), [], {
        execArgv: ['--import', TSX],
        cwd,
        env: { ...process.env, ...env },
      })
      death = once(child, 'exit').then(died)
      death.catch(() => undefined)
    }
    const ended = Promise.race([once(child, 'message'), death])
    child.send({ script, args, input } satisfies Asked)
    const [answer] = await ended
    return answer as Ended
  }
}

function died([code]: unknown[]): never {
  throw new Error(`the process of the commands has ended with ${String(code)}`)
}
