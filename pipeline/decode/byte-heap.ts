/** Bytes of a column as they grow. A heap is used for one batch after another. */

import { copyBytes, newBytes, type Bytes, type Slice } from './bytes.ts'

const BYTES_AT_FIRST = 1 << 12
/** Longer runs of bytes are copied by a call. */
const SHORT_BYTES = 256
/** The next batch is expected to need this part more than the last. */
const SPARE = 8

export class ByteHeap {
  bytes: Bytes = newBytes(BYTES_AT_FIRST)
  /** Where the bytes end. */
  end = 0

  /** Makes room for so many bytes. Must be called before they are put. */
  reserve(count: number): void {
    const most = this.end + count
    const { array } = this.bytes
    if (most <= array.length) return
    this.bytes = newBytes(Math.max(most, array.length * 2))
    this.bytes.array.set(array.subarray(0, this.end))
  }

  putText(text: string): void {
    this.end += this.bytes.array.write(text, this.end)
  }

  /** Puts bytes, which are UTF-8. */
  put({ bytes, from, to }: Slice): void {
    if (to - from > SHORT_BYTES) {
      this.end += bytes.array.copy(this.bytes.array, this.end, from, to)
    } else this.end = copyBytes(bytes.view, from, to, this.bytes.view, this.end)
  }

  /** Returns the bytes and begins the next batch. They have a buffer of their own, which may be
   * larger. */
  take(): Uint8Array {
    const taken = this.bytes.array.subarray(0, this.end)
    this.bytes = newBytes(this.end + this.end / SPARE + BYTES_AT_FIRST)
    this.end = 0
    return taken
  }
}
