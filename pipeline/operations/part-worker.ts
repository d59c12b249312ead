/** Worker thread that derives parts and posts their commits in the same order. */

import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { PartDeriver, type Part, type PartSettings } from '../bulk/derive-part.ts'
import { packedCommit } from './part-pool.ts'

const port = parentPort as MessagePort
const deriver = new PartDeriver(workerData as PartSettings)

let last = Promise.resolve()
port.on('message', (part: Part) => {
  last = last.then(() => answer(part))
})

async function answer(part: Part): Promise<void> {
  const packed = await packedCommit(await deriver.derive(part))
  const tables = [...packed.inserts, ...packed.supersedes, ...packed.images]
  port.postMessage(
    packed,
    tables.map(([, bytes]) => bytes.buffer as ArrayBuffer),
  )
}
