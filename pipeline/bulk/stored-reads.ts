/**
 * Reads of stored state by parts that are derived at the same time. A warehouse answers one read at
 * a time, in the main thread; workers send their reads through a port.
 */

import PQueue from 'p-queue'
import type { MessagePort } from 'node:worker_threads'
import type { Lookups } from '../microbatch/micro-batch.ts'
import type { StateReads } from '../state/state-store.ts'

/** Reads of the state that a part continues from. */
export type StoredReads = StateReads & Pick<Lookups, 'outbox'>

type Request = {
  [Name in keyof StoredReads]: { name: Name; keys: Parameters<StoredReads[Name]> }
}[keyof StoredReads]
type Answer = { found: unknown } | { error: unknown }

/** Returns reads that wait for each other. */
export function oneAtATime(reads: StoredReads): StoredReads {
  const queue = new PQueue({ concurrency: 1 })
  return {
    images: (kind, keys) => queue.add(() => reads.images(kind, keys)),
    segments: (streams) => queue.add(() => reads.segments(streams)),
    outbox: (ids) => queue.add(() => reads.outbox(ids)),
  }
}

/** Answers the reads that arrive at a port, in order. `reads` are one at a time. */
export function serveReads(port: MessagePort, reads: StoredReads): void {
  port.on('message', async (request: Request) => {
    port.postMessage(
      await read(reads, request).then(
        (found): Answer => ({ found }),
        (error: unknown): Answer => ({ error }),
      ),
    )
  })
}

function read(reads: StoredReads, request: Request): Promise<unknown> {
  switch (request.name) {
    case 'images':
      return reads.images(...request.keys)
    case 'segments':
      return reads.segments(...request.keys)
    case 'outbox':
      return reads.outbox(...request.keys)
  }
}

/** Returns reads through a port at whose other end `serveReads` answers. */
export function readsThrough(port: MessagePort): StoredReads {
  const waiting: { resolve: (found: unknown) => void; reject: (error: unknown) => void }[] = []
  port.on('message', (answer: Answer) => {
    const first = waiting.shift()
    if ('found' in answer) first?.resolve(answer.found)
    else first?.reject(answer.error)
  })
  const ask = (request: Request) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.push({ resolve, reject })
      port.postMessage(request)
    })
  return {
    images: (...keys) => ask({ name: 'images', keys }) as ReturnType<StoredReads['images']>,
    segments: (...keys) => ask({ name: 'segments', keys }) as ReturnType<StoredReads['segments']>,
    outbox: (...keys) => ask({ name: 'outbox', keys }) as ReturnType<StoredReads['outbox']>,
  }
}
