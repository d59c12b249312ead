/** Worker thread that folds parts and posts their commits in the same order. */

import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { PartFolder, type FoldSettings, type Part } from './fold-partition.ts'
import { packedCommit } from './fold-pool.ts'

const port = parentPort as MessagePort
const folder = new PartFolder(workerData as FoldSettings)

let last = Promise.resolve()
port.on('message', (part: Part) => {
  last = last.then(() => answer(part))
})

async function answer(part: Part): Promise<void> {
  const packed = await packedCommit(await folder.fold(part))
  const tables = [...packed.inserts, ...packed.supersedes, ...packed.images]
  port.postMessage(
    packed,
    tables.map(([, bytes]) => bytes.buffer as ArrayBuffer),
  )
}
