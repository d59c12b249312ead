/**
 * Input of `npm start`: files, standard input if it has bytes, the sample, or, for a warehouse that
 * has events, a later watermark only.
 */

import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { warehouseToRead } from '../../pipeline/config.ts'
import { WAREHOUSE_DEFAULT } from '../../pipeline/warehouse-url.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { isThere, SAMPLE_WAREHOUSE } from './default-warehouse.ts'
import { note } from './output.ts'

/** Milliseconds without a byte after which standard input counts as empty. */
const SILENT_MS = 500

/** Origins of batches in a warehouse that has only the sample. */
const SAMPLE_ORIGINS = ['sample', 'correction', 'dead letters']

export type Input =
  | { kind: 'files'; files: readonly string[]; warehouse: string }
  | { kind: 'sample' | 'watermark'; warehouse: string }

/** Returns what to read and into which warehouse. Throws a `UserError` if the sample would mix with
 * your own events. */
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
      `no file is given, and the sample would mix with your events in ${own}: ` +
        'give a file, or leave out --warehouse to load the sample',
      2,
      { script: 'start', args: ['FILE'] },
    )
  }
  return { kind: 'sample', warehouse: given ?? SAMPLE_WAREHOUSE }
}

/** Returns whether a warehouse exists and has events that are not the sample's. */
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

/** Returns whether a stream that is not a terminal yields a byte within `silentMs`. The byte can
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
  if (found === 'silent')
    note('nothing arrived on standard input, so it is not read; to wait for it, add -')
  return false
}
