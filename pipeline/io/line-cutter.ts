/**
 * Cuts input at line ends into chunks that are bounded in lines and bytes.
 *
 * Input is read into the buffer of its chunk, and buffers are used for one chunk after another. Each
 * has one owner: this cutter, then the chunk, then its decoded batch, then `Spares`.
 */

import { LINE_BYTES_MAX } from '../decode/limits.ts'

/** A chunk ends at this size even if it has few lines, so that memory is bounded. */
const CHUNK_BYTES_MAX = 80 * 1024 * 1024
/** Bytes that are added at once, at most. */
export const READ_BYTES = 1 << 20
const NEW_LINE = 0x0a
/** A chunk is being read and another decoded while a third is derived. */
const SPARES_MAX = 3

/** Buffers of chunks that are not read any more. */
export class Spares {
  readonly #buffers: ArrayBuffer[] = []
  #isClosed = false

  /** Takes the bytes of a chunk, all of whose buffer may be overwritten. */
  give({ buffer }: Uint8Array): void {
    if (this.#isClosed || this.#buffers.length >= SPARES_MAX) return
    this.#buffers.push(buffer as ArrayBuffer)
  }

  /** Drops the buffers, and those given later: a bulk load derives long after it has read. */
  close(): void {
    this.#isClosed = true
    this.#buffers.length = 0
  }

  /** Returns an array of at least `least` bytes, which may have any content. A new one has `size`
   * bytes. */
  take(least: number, size: number): Uint8Array<ArrayBuffer> {
    const spare = this.#buffers.pop()
    return spare !== undefined && spare.byteLength >= least
      ? new Uint8Array(spare)
      : new Uint8Array(size)
  }
}

export class LineCutter {
  readonly #growTo: number
  readonly #spares: Spares
  #limit: number
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  /** Where the next chunk begins, up to where lines were counted, and where the bytes end. */
  #from = 0
  #counted = 0
  #end = 0
  #lines = 0
  /** Length of the unfinished last line, including bytes that were cut off. */
  #lineBytes = 0
  /** Size that the next chunk probably has. */
  #expected = 0

  /** Chunks have at most `linesMax` lines, then four times as many each time up to `growTo`. */
  constructor(linesMax: number, growTo = linesMax, spares = new Spares()) {
    this.#limit = linesMax
    this.#growTo = growTo
    this.#spares = spares
  }

  /** Returns where the next bytes belong, `READ_BYTES` of room. */
  room(): Uint8Array {
    if (this.#from > 0) {
      this.#bytes.copyWithin(0, this.#from, this.#end)
      this.#counted -= this.#from
      this.#end -= this.#from
      this.#from = 0
    }
    if (this.#end + READ_BYTES > this.#bytes.length) {
      this.#moveTo(this.#buffer(Math.max(this.#end, 2 * this.#bytes.length)))
    }
    return this.#bytes.subarray(this.#end, this.#end + READ_BYTES)
  }

  /** Yields the chunks that are whole with the first `count` bytes of the room. Cuts a line that
   * exceeds the decoder's limit to one byte over it: the decoder rejects it as too large and memory
   * stays bounded. */
  *added(count: number): Generator<Uint8Array> {
    this.#end += count
    while (this.#hasChunk()) yield this.#take()
  }

  /** Yields the bytes that are left at the end of the input. */
  *rest(): Generator<Uint8Array> {
    if (this.#end > this.#from) yield this.#take()
  }

  /** Counts lines until a chunk is whole or all bytes are counted. */
  #hasChunk(): boolean {
    let bytes = Buffer.from(this.#bytes.buffer, 0, this.#end)
    while (this.#counted < this.#end) {
      const lineBreak = bytes.indexOf(NEW_LINE, this.#counted)
      let to = lineBreak < 0 ? this.#end : lineBreak
      const room = Math.max(0, LINE_BYTES_MAX + 1 - this.#lineBytes)
      this.#lineBytes += to - this.#counted
      if (to - this.#counted > room) {
        bytes.copyWithin(this.#counted + room, to, this.#end)
        this.#end -= to - this.#counted - room
        bytes = bytes.subarray(0, this.#end)
        to = this.#counted + room
      }
      this.#counted = to
      if (lineBreak < 0) break
      this.#counted += 1
      this.#lineBytes = 0
      this.#lines += 1
      if (this.#lines >= this.#limit || this.#counted - this.#from >= CHUNK_BYTES_MAX) return true
    }
    return false
  }

  /** Returns the counted bytes as a chunk. The chunk gets the buffer, unless it is the smaller part of
   * it and copied: so few bytes are copied even if a buffer has many chunks. */
  #take(): Uint8Array {
    const [from, to] = [this.#from, this.#counted]
    const left = this.#end - to
    const isCopied = to - from < left
    const chunk = isCopied ? this.#bytes.slice(from, to) : this.#bytes.subarray(from, to)
    const limit = Math.min(this.#limit * 4, this.#growTo)
    this.#expected = Math.min(((to - from) / Math.max(1, this.#lines)) * limit, CHUNK_BYTES_MAX)
    this.#limit = limit
    this.#lines = 0
    this.#from = to
    if (!isCopied) this.#moveTo(left === 0 ? new Uint8Array(0) : this.#buffer(left))
    return chunk
  }

  #moveTo(bytes: Uint8Array<ArrayBuffer>): void {
    bytes.set(this.#bytes.subarray(this.#from, this.#end))
    this.#bytes = bytes
    this.#counted -= this.#from
    this.#end -= this.#from
    this.#from = 0
  }

  /** Returns a buffer for so many bytes, more room, and what the chunk is expected to have. */
  #buffer(count: number): Uint8Array<ArrayBuffer> {
    const least = Math.max(count, Math.ceil(this.#expected)) + READ_BYTES
    return this.#spares.take(least, least + (least >> 3))
  }
}

/** Yields the chunks of a stream. */
export async function* cutAtLines(
  stream: AsyncIterable<Buffer>,
  cutter: LineCutter,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of stream) {
    for (let from = 0; from < bytes.length; from += READ_BYTES) {
      const part = bytes.subarray(from, from + READ_BYTES)
      cutter.room().set(part)
      yield* cutter.added(part.length)
    }
  }
  yield* cutter.rest()
}
