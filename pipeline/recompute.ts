/**
 * The stored events once more, from the beginning, through the ordinary pipeline under other
 * definitions, into a warehouse of their own. Nothing is published: its outbox is never read.
 *
 * They come in event order and in batches, so memory is bounded, and what is read is as it landed:
 * hashed values are not hashed again, `received_at` is kept. A recomputation that was interrupted
 * goes on where it was, because what has landed there is dropped as a duplicate.
 */

import { Pipeline } from './advance.ts'
import { emptyBatch } from './batch.ts'
import { formatInstant, now } from './clock.ts'
import type { Compiled } from './compile.ts'
import { ChunkDecoder } from './decode.ts'
import type { Definitions } from './definitions.ts'
import { UserError } from './errors.ts'
import type { Head, Row, Warehouse } from './warehouse.ts'

const BATCH_EVENTS = 20_000
const BATCH_UNITS = 16 * 1024 * 1024
const ORIGIN = 'stored events'

/** Of `events`, what `lineOf` is made of. */
export const STORED_COLUMNS =
  'event_id, name, occurred_at, ordinal, received_at, source, identifiers, properties, context, ' +
  'alias, unlink'

export type Recomputation = {
  /** Open; only read. */
  warehouse: Warehouse
  /** Open: empty, or left by an interrupted recomputation under the same definitions. */
  scratch: Warehouse
  definitions: Definitions
  /** Told after every batch how many events are done, of how many. */
  onBatch?: (done: number, total: number) => void
}

/** Returns the head whose events they were: others may land meanwhile, and are left out. Throws a
 * `UserError` when an event cannot be read back. */
export async function recompute(parts: Recomputation): Promise<Head> {
  const { warehouse, scratch, definitions, onBatch } = parts
  const head = await warehouse.open()
  const pipeline = await Pipeline.open(scratch, definitions)
  const decoder = storedDecoder(pipeline.compiled)
  const total = await countOf(warehouse, head)
  let done = 0
  const feed = async (lines: string[]) => {
    const receivedAt = now()
    const batch = decoder.decode(new TextEncoder().encode(lines.join('\n')), receivedAt)
    // Whom a later ignore list leaves without an identifier is in no derived table.
    const refusal = batch.refusals.find(({ reason }) => reason !== 'no_identifier')
    if (refusal !== undefined) {
      throw new UserError(`a stored event cannot be read back: ${refusal.detail}`)
    }
    await pipeline.advance(batch, { origin: ORIGIN, receivedAt })
    done += lines.length
    onBatch?.(done, total)
  }
  let lines: string[] = []
  let units = 0
  const stored = warehouse.stream(
    `select ${STORED_COLUMNS} from events where recorded_by <= ${head.batch}
     order by occurred_at, ordinal, event_id`,
  )
  for await (const rows of stored) {
    for (const row of rows) {
      const line = lineOf(row)
      lines.push(line)
      units += line.length
      if (lines.length < BATCH_EVENTS && units < BATCH_UNITS) continue
      await feed(lines)
      lines = []
      units = 0
    }
  }
  if (lines.length > 0) await feed(lines)
  const nothing = emptyBatch(pipeline.compiled.namespaces.length)
  const { watermark } = head
  await pipeline.advance(nothing, { origin: ORIGIN, receivedAt: now(), watermark })
  return head
}

/** How many events have landed by a head. */
export async function countOf(warehouse: Warehouse, { batch }: Head): Promise<number> {
  const sql = 'select count(*) as events from events where recorded_by <= $1'
  const [row] = await warehouse.query(sql, [batch])
  return row?.['events'] as number
}

/** Reads stored events as `lineOf` writes them: what was hashed is not hashed again. */
export function storedDecoder({ identity, operandPaths }: Compiled): ChunkDecoder {
  return new ChunkDecoder({
    identity: { ...identity, hashed: [] },
    operandPaths,
    format: 'native',
    events: { events: {} },
    hashKey: undefined,
  })
}

/** The event in its native form; what landed as JSON stays the text it is. */
export function lineOf(row: Row): string {
  const text = (name: string) => `"${name}":${JSON.stringify(row[name])}`
  const instant = (name: string) => `"${name}":"${formatInstant(row[name] as number)}"`
  const json = (name: string) => `"${name}":${(row[name] as string | null) ?? 'null'}`
  const members = [
    ...['event_id', 'name', 'source', 'ordinal'].map(text),
    ...['occurred_at', 'received_at'].map(instant),
    ...['identifiers', 'properties', 'context', 'alias', 'unlink'].map(json),
  ]
  return `{${members.join(',')}}`
}
