/** The worker thread that folds: takes parts, gives their commits back in the order they came. */

import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { PartFolder, type FoldSettings, type Part } from './fold-part.ts'
import { packedCommit } from './folders.ts'

const port = parentPort as MessagePort
const folder = new PartFolder(workerData as FoldSettings)

port.on('message', async (part: Part) => {
  const packed = packedCommit(await folder.fold(part))
  const bytes = [...packed.inserts, ...packed.supersedes, ...packed.images].map(([, table]) => table)
  port.postMessage(packed, [...new Set(bytes.map(({ buffer }) => buffer as ArrayBuffer))])
})
