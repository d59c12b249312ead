/**
 * Runs commands as users do, and returns output and exit code. All commands of the test process
 * share one process, because starting a process takes longer than most commands. `start.test.ts` and
 * the kill tests check that real processes end with the right code.
 */

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Environment variables and working directory of commands. */
export type Surroundings = { env?: { [name: string]: string }; cwd?: string }
export type Asked = Required<Surroundings> & { script: string; args: string[]; input: string }
export type Ended = { status: number; stdout: string; stderr: string }

const TSX = pathToFileURL(resolve('node_modules/tsx/dist/loader.mjs')).href
const PROCESS = resolve('test/support/command-process.ts')

let shared: ChildProcess | null = null

/** Returns the process of the commands. It ends with this one. */
function commandProcess(): ChildProcess {
  if (shared === null) {
    const child = fork(PROCESS, [], { execArgv: ['--import', TSX] })
    child.unref()
    child.channel?.unref()
    child.once('exit', () => (shared = null))
    shared = child
  }
  return shared
}

/** Returns a function that runs `scripts/SCRIPT.ts` with arguments and standard input, one at a
 * time, in the given surroundings or those of a call. */
export function startCommands(all: Surroundings = {}) {
  return async (
    script: string,
    args: string[],
    input = '',
    own: Surroundings = {},
  ): Promise<Ended> => {
    const child = commandProcess()
    const over = new AbortController()
    const options = { signal: over.signal }
    const death = once(child, 'exit', options).then(died)
    death.catch(() => undefined)
    const ended = Promise.race([once(child, 'message', options), death])
    const env = { ...all.env, ...own.env }
    const cwd = own.cwd ?? all.cwd ?? process.cwd()
    child.send({ script, args, input, env, cwd } satisfies Asked)
    try {
      return (await ended)[0] as Ended
    } finally {
      over.abort()
    }
  }
}

function died([code]: unknown[]): never {
  throw new Error(`the command process exited with ${String(code)}`)
}
