/** Converts rows of a query to an Arrow IPC file with a record batch per few thousand rows. */

import { RecordBatchFileWriter } from 'apache-arrow'
import { rowBatch, type RowColumn } from './arrow.ts'
import type { Row } from '../warehouse.ts'

/** Yields the bytes of the file. `columns` has the name and engine type of each column; other types
 * become text. */
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
