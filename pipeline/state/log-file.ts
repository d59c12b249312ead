/**
 * The file of a state log: appended to at its end, read anywhere. The bytes of the last read are
 * kept, because a key is compared first and its record decoded next.
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

export class LogFile {
  readonly #file: number
  #size: number
  #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  /** Range of the file that the scratch buffer contains. */
  #readFrom = 0
  #readTo = 0

  private constructor(file: number) {
    this.#file = file
    this.#size = fstatSync(file).size
  }

  /** Opens a file, or makes an empty one. */
  static open(path: string): LogFile {
    return new LogFile(openSync(path, existsSync(path) ? 'r+' : 'w+'))
  }

  /** Makes an empty file in place of any. */
  static make(path: string): LogFile {
    return new LogFile(openSync(path, 'w+'))
  }

  get size(): number {
    return this.#size
  }

  /** Returns at most `length` bytes from an offset, fewer at the end of the file. They are valid
   * until the next read. */
  read(offset: number, length: number): Buffer {
    const end = Math.min(offset + length, this.#size)
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
    this.#size += bytes.length
  }

  /** Cuts the file off. */
  cut(size: number): void {
    ftruncateSync(this.#file, size)
    this.#size = size
    this.#readTo = this.#readFrom
  }

  close(): void {
    closeSync(this.#file)
  }
}
