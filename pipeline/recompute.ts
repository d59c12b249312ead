/**
 * Every derived table once more, from the stored events alone: they are turned back into lines of
 * the native form and fed, in event order and bounded batches, to the same pipeline over an empty
 * warehouse. Hashed values have landed hashed and are taken as they are.
 */

import { Pipeline } from './advance.ts'
import { formatInstant } from './clock.ts'
import { ChunkDecoder } from './decode.ts'
import { assert } from './errors.ts'
import { definitionsOnRecord } from './on-record.ts'
import type { Row, Warehouse } from './warehouse.ts'

const EVENTS_MAX = 20_000
const BYTES_MAX = 16 * 1024 * 1024

export type Recomputing = {
  warehouse: Warehouse
  /** Empty and open. */
  scratch: Warehouse
  /** Told of the events fed so far. */
  onBatch?: (done: number) => void
}

/** Fills `scratch` with what the events and the definitions of `warehouse` give. */
export async function recompute({ warehouse, scratch, onBatch }: Recomputing): Promise<number> {
  const { watermark } = await warehouse.open()
  const definitions = await definitionsOnRecord(warehouse)
  const pipeline = await Pipeline.open(scratch, definitions)
  const decoder = new ChunkDecoder({
    identity: { ...definitions.identity, hashed: [] },
    operandPaths: pipeline.compiled.operandPaths,
    format: 'native',
    events: { events: {} },
    hashKey: undefined,
  })
  let done = 0
  const feed = async (lines: Buffer[], upTo: number | null) => {
    const batch = decoder.decode(new Uint8Array(Buffer.concat(lines)), 0)
    for (const { reason, detail } of batch.refusals) {
      assert(reason === 'no_identifier', `a stored event can be read again (${reason}: ${detail})`)
    }
    const delivery = { origin: 'events', receivedAt: pipeline.head.batch + 1, watermark: upTo }
    await pipeline.advance(batch, delivery)
    done += lines.length
    onBatch?.(done)
  }
  let lines: Buffer[] = []
  let bytes = 0
  const stored = warehouse.stream(
    `select event_id, name, occurred_at, ordinal, received_at, source, identifiers, properties,
       context, alias, unlink
     from events order by occurred_at, ordinal, event_id`,
  )
  for await (const rows of stored) {
    for (const row of rows) {
      const line = Buffer.from(`${lineOf(row)}\n`)
      lines.push(line)
      bytes += line.length
      if (lines.length < EVENTS_MAX && bytes < BYTES_MAX) continue
      await feed(lines, null)
      lines = []
      bytes = 0
    }
  }
  await feed(lines, watermark)
  return done
}

/** An event as it landed, in the native form; JSON columns keep their very text. */
function lineOf(row: Row): string {
  const text = (column: string) => `"${column}":${JSON.stringify(row[column])}`
  const instant = (column: string) => `"${column}":"${formatInstant(row[column] as number)}"`
  const json = (column: string) => `"${column}":${(row[column] as string | null) ?? 'null'}`
  const members = [
    ...['event_id', 'name', 'ordinal', 'source'].map(text),
    ...['occurred_at', 'received_at'].map(instant),
    ...['identifiers', 'properties', 'context', 'alias', 'unlink'].map(json),
  ]
  return `{${members.join(',')}}`
}
