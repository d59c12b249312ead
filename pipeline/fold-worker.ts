/** The worker thread that folds: takes parts, gives their commits back in the order they came. */

import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { PartFolder, type FoldSettings, type Part } from './fold-part.ts'
import { packedCommit } from './folders.ts'

const port = parentPort as MessagePort
const folder = new PartFolder(workerData as FoldSettings)

port.on('message', async (part: Part) => {
  const packed = packedCommit(await folder.fold(part))
  const tables = [...packed.inserts, ...packed.supersedes, ...packed.images]
  port.postMessage(packed, tables.map(([, bytes]) => bytes.buffer as ArrayBuffer))
})
