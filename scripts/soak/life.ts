/** One worker process, from its start to a kill or to the end of its input. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { elapsedMs } from '../../pipeline/base/clock.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { WORKER, type FromWorker, type ToWorker } from './worker.ts'

/** Most chunks that are sent but not acknowledged. */
const UNACKNOWLEDGED_MAX = 3

/** `killAt` is the number of acknowledgements after which the process is killed; null means never.
 * `ms` is the time over which the chunks are spread. */
export type LifePlan = { url: string; chunks: string[]; killAt: number | null; ms: number }

export type Lived = {
  /** Chunks that were not acknowledged. */
  left: string[]
  peakBytes: number
}

/** Sends the chunks to a new worker. Throws a `UserError` with its output if it fails. */
export async function live({ url, chunks, killAt, ms }: LifePlan): Promise<Lived> {
  const child = fork(WORKER, [url], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const complaints: Buffer[] = []
  child.stderr?.on('data', (data: Buffer) => complaints.push(data))
  const left = new Map(chunks.map((text, number) => [number, text]))
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  let sent = 0
  let peakBytes = 0
  let wake = () => {}
  let isOver = false
  ended.then(() => {
    isOver = true
    wake()
  })
  child.on('message', ({ acknowledged, memoryBytes }: FromWorker) => {
    left.delete(acknowledged)
    peakBytes = Math.max(peakBytes, memoryBytes)
    if (killAt !== null && chunks.length - left.size >= killAt) child.kill('SIGKILL')
    wake()
  })
  const send = (message: ToWorker) => child.send(message, () => undefined)
  const startedAt = elapsedMs()
  while (!isOver && sent < chunks.length) {
    const isFull = sent - (chunks.length - left.size) >= UNACKNOWLEDGED_MAX
    const dueInMs = startedAt + (ms * sent) / chunks.length - elapsedMs()
    if (isFull) await new Promise<void>((resolve) => (wake = resolve))
    else if (dueInMs > 0) await sleep(dueInMs)
    else send({ number: sent, text: chunks[sent++] as string })
  }
  if (!isOver) send('end')
  const code = await ended
  const isKilled = killAt !== null && code === null
  if (isKilled || code === 0) return { left: [...left.values()], peakBytes }
  throw new UserError(`the worker ended with ${code}: ${Buffer.concat(complaints).toString()}`)
}
