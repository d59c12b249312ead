/**
 * Pages of an index: fixed-size pages in a file, of which the used ones are in memory.
 *
 * A page is read on first use and written by `flush`, so opening, a batch and closing cost what the
 * batch touches, however long the file. At most 128 MiB are in memory; when more pages are used, all
 * are written and dropped. Each page has a checksum. Pages are overwritten in place: the first page
 * has the head, which is missing while that happens, so an interrupted write leaves no index.
 */

import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { DamagedLog } from './damaged-log.ts'

/** Words of 32 bits per page; the first one is the checksum of the others. */
export const PAGE_WORDS = 1_024
const PAGE_BYTES = 4 * PAGE_WORDS
const HEAD_BYTES = 8
const FRAMES_MAX = 1 << 15
/** Frames per allocation, 4 MiB. */
const SLAB_FRAMES = 1 << 10

export class PageFile {
  readonly #file: number
  readonly #framesMax: number
  /** Frame of each page in memory, otherwise -1. */
  readonly #frameOf: Int32Array
  readonly #isChanged: Uint8Array
  /** Page of each frame in use. */
  #pageOf: number[] = []
  readonly #slabs: Uint32Array[] = []
  #hasHead: boolean
  /** Pages beyond were never written and are empty. */
  #written: number

  private constructor(file: number, pages: number, hasHead: boolean, framesMax: number) {
    this.#file = file
    this.#framesMax = Math.min(framesMax, pages)
    this.#hasHead = hasHead
    this.#frameOf = new Int32Array(pages).fill(-1)
    this.#isChanged = new Uint8Array(pages)
    this.#written = Math.ceil(fstatSync(file).size / PAGE_BYTES) - 1
  }

  /** Makes a file of empty pages in place of any. At most `framesMax` are in memory. */
  static make(path: string, pages: number, framesMax = FRAMES_MAX): PageFile {
    return new PageFile(openSync(path, 'w+'), pages, false, framesMax)
  }

  /** Opens a file. Returns null if it does not exist or its head is missing or damaged. `pagesOf`
   * returns the number of pages that a head states. */
  static open<Head>(
    path: string,
    pagesOf: (head: Head) => number,
  ): { pages: PageFile; head: Head } | null {
    let file: number
    try {
      file = openSync(path, 'r+')
    } catch {
      return null
    }
    const bytes = Buffer.alloc(PAGE_BYTES)
    readSync(file, bytes, 0, PAGE_BYTES, 0)
    const length = bytes.readUInt32LE(4)
    const isHead = length > 0 && length <= PAGE_BYTES - HEAD_BYTES
    if (!isHead || crc32(bytes.subarray(4, HEAD_BYTES + length)) !== bytes.readUInt32LE(0)) {
      closeSync(file)
      return null
    }
    const head = JSON.parse(bytes.toString('utf8', HEAD_BYTES, HEAD_BYTES + length)) as Head
    return { pages: new PageFile(file, pagesOf(head), true, FRAMES_MAX), head }
  }

  /** Returns the words that have a page, and their position. Valid until the next page is used. */
  at(page: number): { words: Uint32Array; from: number } {
    const known = this.#frameOf[page] as number
    const frame = known < 0 ? this.#load(page) : known
    const words = this.#slabs[Math.floor(frame / SLAB_FRAMES)] as Uint32Array
    return { words, from: (frame % SLAB_FRAMES) * PAGE_WORDS }
  }

  /** Must be called after a page was changed. */
  changed(page: number): void {
    this.#isChanged[page] = 1
  }

  /** Removes the head from the file, which is then no index until `close`. */
  begin(): void {
    if (!this.#hasHead) return
    this.#hasHead = false
    writeSync(this.#file, Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
  }

  /** Writes changed pages and the head, and closes the file. */
  close(head: object): void {
    this.#flush()
    fdatasyncSync(this.#file)
    const text = Buffer.from(JSON.stringify(head))
    const bytes = Buffer.alloc(HEAD_BYTES + text.length)
    bytes.writeUInt32LE(text.length, 4)
    text.copy(bytes, HEAD_BYTES)
    bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0)
    writeSync(this.#file, bytes, 0, bytes.length, 0)
    closeSync(this.#file)
  }

  /** Closes the file without writing. */
  discard(): void {
    closeSync(this.#file)
  }

  #load(page: number): number {
    if (this.#pageOf.length >= this.#framesMax) this.#drop()
    const frame = this.#pageOf.length
    if (frame >= this.#slabs.length * SLAB_FRAMES) {
      const frames = Math.min(SLAB_FRAMES, this.#framesMax)
      this.#slabs.push(new Uint32Array(frames * PAGE_WORDS))
    }
    this.#pageOf.push(page)
    this.#frameOf[page] = frame
    const { words, from } = this.at(page)
    const bytes = bytesOf(words, from)
    bytes.fill(0)
    if (page >= this.#written) return frame
    readSync(this.#file, bytes, 0, PAGE_BYTES, (page + 1) * PAGE_BYTES)
    const isEmpty = words[from] === 0 && words.subarray(from, from + PAGE_WORDS).every(isZero)
    if (!isEmpty && crc32(bytes.subarray(4)) !== words[from]) {
      throw new DamagedLog(`page ${page} of the index is damaged`)
    }
    return frame
  }

  #drop(): void {
    this.#flush()
    this.#frameOf.fill(-1)
    this.#pageOf = []
  }

  #flush(): void {
    const changed = this.#pageOf.filter((page) => this.#isChanged[page] === 1)
    if (changed.length === 0) return
    this.begin()
    fdatasyncSync(this.#file)
    for (const page of changed.sort((a, b) => a - b)) {
      const { words, from } = this.at(page)
      const bytes = bytesOf(words, from)
      words[from] = crc32(bytes.subarray(4))
      writeSync(this.#file, bytes, 0, PAGE_BYTES, (page + 1) * PAGE_BYTES)
      this.#isChanged[page] = 0
      this.#written = Math.max(this.#written, page + 1)
    }
  }
}

const isZero = (word: number) => word === 0

function bytesOf(words: Uint32Array, from: number): Buffer {
  return Buffer.from(words.buffer, words.byteOffset + 4 * from, PAGE_BYTES)
}
