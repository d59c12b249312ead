/** Compaction of a state log: the latest value of each key and the segments of each stream. */

import { PagedIndex, hashIn } from './paged-index.ts'
import { LogFile } from './log-file.ts'
import { FLUSH_BYTES, START, RecordWriter, type StateRecord } from './record-codec.ts'
import { sliceOf } from './slice.ts'
import { hashWords } from '../base/hash.ts'

/** A key's latest record, and all its texts, oldest first. */
export type Kept = { last: StateRecord; texts: readonly string[] }

/** Writes a log with what is kept, each key once, and no position; and its index. */
export function compactLog(
  path: string,
  indexPath: string,
  kept: Iterable<Kept>,
): { file: LogFile; index: PagedIndex } {
  const file = LogFile.make(path)
  const index = PagedIndex.make(indexPath)
  const writer = new RecordWriter()
  const flush = () => {
    file.append(writer.bytes)
    writer.clear()
  }
  file.append(START)
  const never = () => false
  for (const { last, texts } of kept) {
    let previous = 0
    let length = 0
    for (const text of texts) {
      const offset = file.size + writer.length
      const { type, space, key } = last
      length = writer.add(type, space, previous, sliceOf(key), sliceOf(text))
      previous = offset
    }
    const hash = hashIn(last.space, hashWords(last.key)[0])
    index.set(index.slotOf(hash, never), hash, previous, length)
    if (writer.length > FLUSH_BYTES) flush()
  }
  flush()
  return { file, index }
}
