/** Worker thread that derives parts and posts them in the same order. */

import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { PartDeriver, type Part, type PartSettings } from './derive-part.ts'
import { packedPart } from './packed-part.ts'
import { readsThrough } from './stored-reads.ts'

/** `reads` leads to stored state; null if parts begin with their first events. */
export type WorkerSettings = { settings: PartSettings; reads: MessagePort | null }

const port = parentPort as MessagePort
const { settings, reads } = workerData as WorkerSettings
const deriver = new PartDeriver(settings, reads === null ? null : readsThrough(reads))

let last = Promise.resolve()
port.on('message', (part: Part) => {
  last = last.then(() => answer(part))
})

async function answer(part: Part): Promise<void> {
  const { packed, moved } = packedPart(await deriver.derive(part))
  port.postMessage(packed, moved)
}
