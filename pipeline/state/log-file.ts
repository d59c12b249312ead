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
/** Appended bytes that stay in memory, at first and at most. */
const TAIL_BYTES_AT_FIRST = 1 << 20
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
  /** Most bytes of the tail. It grows to them, because V8 collects garbage for large arrays. */
  readonly #tailBytes: number

  readonly #tailBytesAtFirst: number

  private constructor(file: number, tailBytes: number, tailBytesAtFirst: number) {
    this.#file = file
    this.#size = fstatSync(file).size
    this.#tailFrom = this.#size
    this.#tailBytes = tailBytes
    this.#tailBytesAtFirst = tailBytesAtFirst
  }

  /** Opens a file, or makes an empty one. */
  static open(path: string): LogFile {
    return new LogFile(
      openSync(path, existsSync(path) ? 'r+' : 'w+'),
      TAIL_BYTES,
      TAIL_BYTES_AT_FIRST,
    )
  }

  /** Makes an empty file in place of any. At most `tailBytes` of it stay in memory, in an array that
   * has `atFirst` bytes at first. */
  static make(
    path: string,
    tailBytes = TAIL_BYTES,
    atFirst = Math.min(TAIL_BYTES_AT_FIRST, tailBytes),
  ): LogFile {
    return new LogFile(openSync(path, 'w+'), tailBytes, atFirst)
  }

  get size(): number {
    return this.#size
  }

  /** Returns at most `length` bytes from an offset, fewer at the end of the file. They are valid
   * until the next read. */
  read(offset: number, length: number): Buffer {
    const end = Math.min(offset + length, this.#size)
    const tail = this.#tail
    if (tail !== null && offset >= this.#tailFrom) {
      const at = offset % tail.length
      if (at + end - offset <= tail.length) return tail.subarray(at, at + end - offset)
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
    const end = this.#size + bytes.length
    const tail = this.#tailOf(end - this.#tailFrom)
    const skipped = Math.max(0, bytes.length - tail.length)
    keepAt(tail, bytes.subarray(skipped), this.#size + skipped)
    this.#tailFrom = Math.max(this.#tailFrom, end - tail.length)
  }

  /** Returns the tail with room for so many bytes, or as many as it may have. */
  #tailOf(count: number): Buffer {
    const before = this.#tail
    let length = before?.length ?? this.#tailBytesAtFirst
    while (length < count && length < this.#tailBytes)
      length = Math.min(4 * length, this.#tailBytes)
    if (length === before?.length) return before
    const tail = Buffer.allocUnsafeSlow(length)
    for (let offset = this.#tailFrom; before !== null && offset < this.#size;) {
      const at = offset % before.length
      const part = before.subarray(at, at + this.#size - offset)
      keepAt(tail, part, offset)
      offset += part.length
    }
    this.#tail = tail
    return tail
  }
}

/** Copies bytes at an offset of a file to a tail, which is not shorter. */
function keepAt(tail: Buffer, bytes: Buffer, offset: number): void {
  const at = offset % tail.length
  const room = tail.length - at
  bytes.copy(tail, at, 0, room)
  if (bytes.length > room) bytes.copy(tail, 0, room)
}
