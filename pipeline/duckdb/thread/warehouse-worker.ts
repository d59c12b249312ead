/** Worker thread with a DuckDB warehouse. Calls start in the order of their messages. */

import { parentPort, type MessagePort } from 'node:worker_threads'
import { packedError } from '../../base/packed-error.ts'
import { ServedWarehouse } from './served-warehouse.ts'
import type { Answer, Call } from './warehouse-thread.ts'

const port = parentPort as MessagePort
const post = (answer: Answer) => port.postMessage(answer)
const served = new ServedWarehouse((notice) => post({ notice }))

port.on('message', (call: Call) => void answer(call))

async function answer({ id, name, args }: Call): Promise<void> {
  try {
    const method = served[name] as (...args: unknown[]) => unknown
    const result = await method.apply(served, args)
    post({ id, result, reads: served.reads })
  } catch (thrown) {
    post({ id, failure: packedError(thrown) })
  }
}
