/**
 * Runs commands as users do, and returns output and exit code. The commands of a test file share
 * one process, because starting a process takes longer than most commands. `start.test.ts` and the
 * kill tests check that real processes end with the right code.
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
  throw new Error(`the command process exited with ${String(code)}`)
}
