/**
 * A process that runs commands, one after another, for whoever started it (see `commands.ts`). A
 * command is loaded anew each time and has its arguments, its input and its exit code as in a
 * process of its own; what it prints is sent back.
 */

import { Readable } from 'node:stream'
import type { Asked, Ended } from './commands.ts'

/** What commands listen to, and would listen to once more each time. */
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

async function run({ script, args, input }: Asked): Promise<Ended> {
  Object.assign(outputs, { stdout: '', stderr: '' })
  Object.defineProperty(process, 'stdin', { value: Readable.from([Buffer.from(input)]) })
  process.argv.splice(1, Infinity, `scripts/${script}.ts`, ...args)
  process.exitCode = undefined
  await import(`../../scripts/${script}.ts?run=${(runs += 1)}`)
  for (const [emitter, event] of LISTENED) emitter.removeAllListeners(event)
  return { status: Number(process.exitCode ?? 0), ...outputs, stderr: outputs.stderr.trim() }
}

process.on('message', (asked: Asked) => {
  void run(asked).then((ended) => process.send?.(ended))
})
