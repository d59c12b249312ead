/** Worker thread that derives parts and posts them in the same order. */

import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { PartDeriver, type Part, type PartSettings } from './derive-part.ts'
import { packedPart } from './packed-part.ts'

const port = parentPort as MessagePort
const deriver = new PartDeriver(workerData as PartSettings)

let last = Promise.resolve()
port.on('message', (part: Part) => {
  last = last.then(() => answer(part))
})

async function answer(part: Part): Promise<void> {
  const { packed, moved } = packedPart(await deriver.derive(part))
  port.postMessage(packed, moved)
}
