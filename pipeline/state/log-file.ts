/**
 * The file of a state log: appended to at its end, read anywhere. The bytes appended last stay in
 * memory, because a batch mostly reads what batches shortly before it have written. The bytes of
 * the last read are kept, because a key is compared first and its record read next.
 */

import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'

const SCRATCH_BYTES = 1 << 16
/** Appended bytes that stay in memory. */
const TAIL_BYTES = 40 << 20

export class LogFile {
  readonly #file: number
  #size: number
  #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  /** Range of the file that the scratch buffer contains. */
  #readFrom = 0
  #readTo = 0
  /** The last bytes of the file, from an offset on; each at its offset modulo the length. */
  #tail: Buffer | null = null
  #tailFrom: number
  readonly #tailBytes: number

  private constructor(file: number, tailBytes: number) {
    this.#file = file
    this.#size = fstatSync(file).size
    this.#tailFrom = this.#size
    this.#tailBytes = tailBytes
  }

  /** Opens a file, or makes an empty one. */
  static open(path: string): LogFile {
    return new LogFile(openSync(path, existsSync(path) ? 'r+' : 'w+'), TAIL_BYTES)
  }

  /** Makes an empty file in place of any. At most `tailBytes` of it stay in memory. */
  static make(path: string, tailBytes = TAIL_BYTES): LogFile {
    return new LogFile(openSync(path, 'w+'), tailBytes)
  }

  get size(): number {
    return this.#size
  }

  /** Returns at most `length` bytes from an offset, fewer at the end of the file. They are valid
   * until the next read. */
  read(offset: number, length: number): Buffer {
    const end = Math.min(offset + length, this.#size)
    const at = offset % this.#tailBytes
    if (offset >= this.#tailFrom && this.#tail !== null && at + end - offset <= this.#tailBytes) {
      return this.#tail.subarray(at, at + end - offset)
    }
    if (offset < this.#readFrom || end > this.#readTo) {
      if (end - offset > this.#scratch.length) {
        this.#scratch = Buffer.allocUnsafeSlow(2 * (end - offset))
      }
      const count = Math.max(0, end - offset)
      this.#readFrom = offset
      this.#readTo = offset + readSync(this.#file, this.#scratch, 0, count, offset)
    }
    return this.#scratch.subarray(
      offset - this.#readFrom,
      Math.min(end, this.#readTo) - this.#readFrom,
    )
  }

  append(bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) {
      done += writeSync(this.#file, bytes, done, bytes.length - done, this.#size + done)
    }
    this.#keep(bytes)
    this.#size += bytes.length
  }

  /** Cuts the file off. */
  cut(size: number): void {
    ftruncateSync(this.#file, size)
    this.#size = size
    this.#readTo = this.#readFrom
    this.#tailFrom = size
  }

  close(): void {
    this.#tail = null
    closeSync(this.#file)
  }

  /** Keeps the last of the bytes that were written at the end. */
  #keep(bytes: Buffer): void {
    this.#tail ??= Buffer.allocUnsafeSlow(this.#tailBytes)
    const skipped = Math.max(0, bytes.length - this.#tailBytes)
    for (let from = skipped; from < bytes.length;) {
      const at = (this.#size + from) % this.#tailBytes
      const to = Math.min(bytes.length, from + this.#tailBytes - at)
      bytes.copy(this.#tail, at, from, to)
      from = to
    }
    this.#tailFrom = Math.max(this.#tailFrom, this.#size + bytes.length - this.#tailBytes)
  }
}
