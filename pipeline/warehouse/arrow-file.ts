/** Rows of a query → the bytes of an Arrow IPC file, a record batch for every few thousand rows. */

import { RecordBatchFileWriter } from 'apache-arrow'
import { rowBatch, type RowColumn } from './arrow.ts'
import type { Row } from './warehouse.ts'

/** `columns` name each column and its type in the engine's words; others than those known are
 * texts. */
export async function* arrowFile(
  columns: readonly { name: string; type: string }[],
  parts: AsyncIterable<Row[]>,
): AsyncGenerator<Uint8Array> {
  const known = columns.map(({ name, type }) => ({ name, type: typeOf(type) }))
  const writer = new RecordBatchFileWriter()
  writer.reset(undefined, rowBatch(known, []).schema)
  const work = (async () => {
    try {
      for await (const rows of parts) writer.write(rowBatch(known, rows))
    } finally {
      writer.finish()
    }
  })()
  work.catch(() => undefined)
  for await (const bytes of writer) yield bytes
  await work
}

function typeOf(type: string): RowColumn['type'] {
  if (type.startsWith('TIMESTAMP')) return 'instant'
  if (type === 'BOOLEAN' || type === 'BOOL') return 'boolean'
  if (type === 'DOUBLE' || type === 'FLOAT64') return 'number'
  if (type === 'BLOB' || type === 'BYTES') return 'bytes'
  return /^U?(BIG|HUGE|SMALL|TINY)?INT(EGER|64)?$/.test(type) ? 'integer' : 'text'
}
