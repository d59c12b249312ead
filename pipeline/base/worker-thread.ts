/**
 * A worker thread that answers: requests go in and answers come back in order. The caller bounds
 * how many are on the way.
 */

import { Worker } from 'node:worker_threads'

export type Thread<Request, Answer> = {
  /** `moved` are buffers that are the thread's afterwards. */
  ask(request: Request, moved: ArrayBuffer[]): Promise<Answer>
  close(): Promise<void>
}

/** Most of what a batch makes dies young: the nursery is kept small, memory being the bound. */
const resourceLimits = { maxYoungGenerationSizeMb: 16 }

/** A thread does not inherit the loaders of TypeScript sources: they are registered first. In a
 * package modules are JavaScript, and need none. */
const IS_SOURCE = import.meta.url.endsWith('.ts')
const LOADERS = (IS_SOURCE ? ['tsx/cjs/api', 'tsx/esm/api'] : []).map((name) =>
  import.meta.resolve(name),
)
const starterOf = (module: URL) => `
  const loaders = ${JSON.stringify(LOADERS)}
  Promise.all(loaders.map((loader) => import(loader)))
    .then((loaded) => loaded.forEach(({ register }) => register()))
    .then(() => import(${JSON.stringify(module.href)}))
`

type Waiting<Answer> = { resolve(answer: Answer): void; reject(error: Error): void }

/** The module at a path from another's, given as a source: in a package it is JavaScript. */
export function moduleBeside(url: string, source: string): URL {
  return new URL(IS_SOURCE ? source : source.replace(/\.ts$/, '.js'), url)
}

/** Starts a module, which gets `settings` as its `workerData` and answers each message by one.
 * When the thread dies, everything on the way is rejected. */
export function startThread<Request, Answer>(
  module: URL,
  settings: object,
): Thread<Request, Answer> {
  const worker = new Worker(starterOf(module), {
    eval: true,
    workerData: settings,
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
