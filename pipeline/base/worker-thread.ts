/**
 * Worker thread with requests and responses in order. The caller limits how many are in flight.
 */

import { Worker, type MessagePort } from 'node:worker_threads'

export type Thread<Request, Answer> = {
  /** `moved` lists buffers to transfer to the thread. */
  ask(request: Request, moved: ArrayBuffer[]): Promise<Answer>
  close(): Promise<void>
}

/** Most objects of a batch are short-lived; a small young generation limits memory. */
const resourceLimits = { maxYoungGenerationSizeMb: 16 }

/** Threads do not inherit TypeScript loaders, so these are registered first. Packages contain
 * JavaScript and need none. */
const IS_SOURCE = import.meta.url.endsWith('.ts')
const LOADERS = (IS_SOURCE ? ['tsx/cjs/api', 'tsx/esm/api'] : []).map((name) =>
  import.meta.resolve(name),
)
/**
 * Code of typed arrays that V8 compiles before a thread first transfers a buffer is discarded by it.
 * So each thread begins with a transfer.
 */
const starterOf = (module: URL) => `
  const buffer = new ArrayBuffer(1)
  structuredClone(buffer, { transfer: [buffer] })
  const loaders = ${JSON.stringify(LOADERS)}
  Promise.all(loaders.map((loader) => import(loader)))
    .then((loaded) => loaded.forEach(({ register }) => register()))
    .then(() => import(${JSON.stringify(module.href)}))
`

type Waiting<Answer> = { resolve(answer: Answer): void; reject(error: Error): void }

/** Returns a module relative to another one. The name ends in `.ts`; in a package it is mapped to
 * `.js`. */
export function moduleBeside(url: string, source: string): URL {
  return new URL(IS_SOURCE ? source : source.replace(/\.ts$/, '.js'), url)
}

/** Starts a thread with `settings` as `workerData`; `moved` lists ports in them. If the thread dies,
 * pending requests are rejected. */
export function startThread<Request, Answer>(
  module: URL,
  settings: object,
  moved: MessagePort[] = [],
): Thread<Request, Answer> {
  const worker = new Worker(starterOf(module), {
    eval: true,
    workerData: settings,
    transferList: moved,
    execArgv: [],
    resourceLimits,
  })
  const waiting: Waiting<Answer>[] = []
  let failure: Error | null = null
  const fail = (error: Error) => {
    failure ??= error
    for (const { reject } of waiting.splice(0)) reject(failure)
  }
  worker.on('message', (answer: Answer) => waiting.shift()?.resolve(answer))
  worker.on('error', fail)
  worker.on('exit', () => fail(new Error('a worker thread has ended')))
  return {
    ask: (request, moved) =>
      new Promise((resolve, reject) => {
        if (failure !== null) {
          reject(failure)
          return
        }
        waiting.push({ resolve, reject })
        worker.postMessage(request, moved)
      }),
    close: async () => {
      await worker.terminate()
    },
  }
}
