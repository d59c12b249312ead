/**
 * Process that runs commands one after another (see `commands.ts`). Each command is loaded again,
 * with its own arguments, input, environment, directory and exit code. Its output is sent back.
 */

import { Readable } from 'node:stream'
import type { Asked, Ended } from './commands.ts'

/** Events for which commands add listeners, which must be removed after each command. */
const LISTENED = [
  [process, 'SIGINT'],
  [process, 'SIGTERM'],
  [process.stdout, 'error'],
] as const

const outputs = { stdout: '', stderr: '' }
for (const name of ['stdout', 'stderr'] as const) {
  process[name].write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    outputs[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    const done = rest.at(-1)
    if (typeof done === 'function') done()
    return true
  }
}

let runs = 0

async function run({ script, args, input, env, cwd }: Asked): Promise<Ended> {
  Object.assign(outputs, { stdout: '', stderr: '' })
  const before = { ...process.env }
  Object.assign(process.env, env)
  process.chdir(cwd)
  Object.defineProperty(process, 'stdin', {
    value: Readable.from([Buffer.from(input)], { objectMode: false }),
  })
  process.argv.splice(1, Infinity, `scripts/${script}.ts`, ...args)
  process.exitCode = undefined
  await import(`../../scripts/${script}.ts?run=${(runs += 1)}`)
  for (const [emitter, event] of LISTENED) emitter.removeAllListeners(event)
  for (const name of Object.keys(env)) delete process.env[name]
  Object.assign(process.env, before)
  return { status: Number(process.exitCode ?? 0), ...outputs, stderr: outputs.stderr.trim() }
}

process.on('disconnect', () => process.exit())
process.on('message', (asked: Asked) => {
  void run(asked).then((ended) => process.send?.(ended))
})
