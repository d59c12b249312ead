/**
 * Input of `npm start`: files, standard input that has bytes, the sample, or nothing except a later
 * watermark for a warehouse that has events.
 */

import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { warehouseToRead } from '../../pipeline/config.ts'
import { WAREHOUSE_DEFAULT } from '../../pipeline/warehouse-url.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { isThere, SAMPLE_WAREHOUSE } from './default-warehouse.ts'
import { note } from './output.ts'

/** How long standard input may be silent before it counts as empty, milliseconds. */
const SILENT_MS = 500

/** Origins of batches that may be in a warehouse of the sample alone. */
const SAMPLE_ORIGINS = ['sample', 'correction', 'dead letters']

export type Input =
  | { kind: 'files'; files: readonly string[]; warehouse: string }
  | { kind: 'sample' | 'watermark'; warehouse: string }

/** Returns what to read and where it goes. Sample and own events never go to one warehouse: that
 * is a `UserError`. */
export async function inputOf(
  files: readonly string[],
  given: string | undefined,
  hasWatermark: boolean,
): Promise<Input> {
  if (files.length > 0) return { kind: 'files', files, warehouse: given ?? WAREHOUSE_DEFAULT }
  if (await hasBytes(process.stdin)) {
    return { kind: 'files', files: ['-'], warehouse: given ?? WAREHOUSE_DEFAULT }
  }
  const own = given ?? WAREHOUSE_DEFAULT
  const asked = given !== undefined || hasWatermark
  if (asked && (await hasOwnEvents(own))) {
    if (hasWatermark) return { kind: 'watermark', warehouse: own }
    throw new UserError(
      `no file is given, and ${own} has events of your own, with which the sample would mix: ` +
        'give a file, or leave out --warehouse to see the sample',
      2,
      { script: 'start', args: ['FILE'] },
    )
  }
  return { kind: 'sample', warehouse: given ?? SAMPLE_WAREHOUSE }
}

/** Whether a warehouse exists and has a batch of other events than the sample's. */
async function hasOwnEvents(url: string): Promise<boolean> {
  if (url.startsWith('duckdb:') && !isThere(url)) return false
  const warehouse = warehouseToRead(url)
  try {
    await warehouse.open()
    const rows = await warehouse.query(
      `select batch from batches where read_count > 0
         and origin not in (${SAMPLE_ORIGINS.map((origin) => `'${origin}'`).join(', ')})
       limit 1`,
    )
    return rows.length > 0
  } finally {
    await warehouse.close()
  }
}

/** Returns whether a stream, unless it is a terminal, yields a byte in time. What it yields can
 * still be read afterwards. */
export async function hasBytes(
  stream: Readable & { isTTY?: boolean; unref?: () => void },
  silentMs = SILENT_MS,
): Promise<boolean> {
  if (stream.isTTY === true) return false
  const over = new AbortController()
  const { signal } = over
  const first = async () => {
    await once(stream, 'readable', { signal })
    return stream.readableLength > 0 ? 'bytes' : 'nothing'
  }
  const silent = () => pause(silentMs, 'silent' as const, { signal })
  const found = await Promise.race([first(), silent()]).catch(() => 'nothing' as const)
  over.abort()
  if (found === 'bytes') return true
  stream.pause()
  stream.unref?.()
  if (found === 'silent') note('standard input is silent and is not read; to wait for it: add -')
  return false
}
