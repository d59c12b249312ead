/**
 * Index of a state log: a hash table in the pages of a file. It has the position of the latest record
 * of each key.
 *
 * Keys are found by two 32-bit words of hash. The caller compares the full key, because hashes can
 * collide. A key is in the page that its hash selects, or in the next one if that is full. A slot is
 * a position in the index: `slotOf` finds that of a key, whether it is taken or not.
 */

import { renameSync } from 'node:fs'
import { PAGE_WORDS, PageFile } from './page-file.ts'
import { FORMAT_VERSION } from './record-codec.ts'
import type { Position } from './written.ts'

/** State of a log beside its records. `size` is the length of the file, bytes. */
export type IndexHead = { size: number; garbage: number; position: Position | null }

type StoredHead = IndexHead & { version: number; pages: number; count: number }

/** Words per slot: the hash and the offset, low words first; the length, 0 if the slot is empty. */
const SLOT_WORDS = 5
const SLOTS = Math.floor((PAGE_WORDS - 1) / SLOT_WORDS)
const LENGTH_AT = 4
const PAGES_MIN = 4
/** The number of pages doubles when a larger share of the slots is in use. */
const LOAD_MAX = 0.7
const WORD = 2 ** 32

/** Position of a record: offset and length in bytes. */
export type Place = { offset: number; length: number }

/** Returns whether the record at a position has the key in question. */
export type IsKey = (offset: number, length: number) => boolean

/** Returns the low word of a key in a space, by that of the key: equal keys of two spaces get different
 * slots. The high word stays. */
export function lowWordIn(space: number, low: number): number {
  return (low ^ Math.imul(space + 1, 0x9e3779b1)) >>> 0
}

export class PagedIndex {
  #path: string
  #pages: number
  #file: PageFile
  #count: number

  private constructor(path: string, pages: number, file: PageFile, count: number) {
    this.#path = path
    this.#pages = pages
    this.#file = file
    this.#count = count
  }

  /** Makes an empty index in place of any. */
  static make(path: string, pages = PAGES_MIN): PagedIndex {
    return new PagedIndex(path, pages, PageFile.make(path, pages), 0)
  }

  /** Opens the index of a log of `size` bytes. Returns null if it was not closed, or is of another
   * log or another format. */
  static open(path: string, size: number): (IndexHead & { index: PagedIndex }) | null {
    const opened = PageFile.open<StoredHead>(path, ({ pages }) => pages)
    if (opened === null) return null
    const { pages, head } = opened
    if (head.size !== size || head.version !== FORMAT_VERSION) {
      pages.discard()
      return null
    }
    pages.begin()
    return { ...head, index: new PagedIndex(path, head.pages, pages, head.count) }
  }

  get count(): number {
    return this.#count
  }

  /** Returns the slot of the key with this hash for which `isKey` holds, or the empty one where it
   * belongs. It is valid until the next `set`. Throws `DamagedLog`. */
  slotOf(low: number, high: number, isKey: IsKey): number {
    const lowWord = low >>> 0
    const highWord = high >>> 0
    const first = highWord % SLOTS
    for (let step = 0; ; step++) {
      const page = (lowWord + step) & (this.#pages - 1)
      const { words, from } = this.#file.at(page)
      for (let i = 0; i < SLOTS; i++) {
        const at = (first + i) % SLOTS
        const word = from + 1 + at * SLOT_WORDS
        const length = words[word + LENGTH_AT] as number
        if (length === 0) return page * SLOTS + at
        if (words[word] !== lowWord || words[word + 1] !== highWord) continue
        if (isKey(offsetOf(words, word), length)) return page * SLOTS + at
      }
    }
  }

  /** Offset of the record of a slot; 0: the slot is empty. */
  offsetAt(slot: number): number {
    const { words, from } = this.#file.at(Math.floor(slot / SLOTS))
    return offsetOf(words, from + 1 + (slot % SLOTS) * SLOT_WORDS)
  }

  lengthAt(slot: number): number {
    const { words, from } = this.#file.at(Math.floor(slot / SLOTS))
    return words[from + 1 + (slot % SLOTS) * SLOT_WORDS + LENGTH_AT] as number
  }

  /** Sets the place of a key in its slot. */
  set(slot: number, low: number, high: number, offset: number, length: number): void {
    const page = Math.floor(slot / SLOTS)
    const { words, from } = this.#file.at(page)
    const word = from + 1 + (slot % SLOTS) * SLOT_WORDS
    const isNew = words[word + LENGTH_AT] === 0
    words[word] = low
    words[word + 1] = high
    words[word + 2] = offset % WORD
    words[word + 3] = Math.floor(offset / WORD)
    words[word + LENGTH_AT] = length
    this.#file.changed(page)
    if (!isNew) return
    this.#count += 1
    if (this.#count > LOAD_MAX * this.#pages * SLOTS) this.#grow()
  }

  /** Yields all positions, in no particular order. */
  *places(): Generator<Place> {
    for (let page = 0; page < this.#pages; page++) {
      const words = this.#wordsOf(page)
      for (let at = 0; at < words.length; at += SLOT_WORDS) {
        const length = words[at + LENGTH_AT] as number
        if (length !== 0) yield { offset: offsetOf(words, at), length }
      }
    }
  }

  /** Renames the file. */
  moveTo(path: string): void {
    renameSync(this.#path, path)
    this.#path = path
  }

  /** Writes what is in memory and closes the file. */
  close(head: IndexHead): void {
    const stored: StoredHead = {
      ...head,
      version: FORMAT_VERSION,
      pages: this.#pages,
      count: this.#count,
    }
    this.#file.close(stored)
  }

  /** Closes the file, which is then no index. */
  discard(): void {
    this.#file.discard()
  }

  /** Returns a copy of the words of a page's slots. */
  #wordsOf(page: number): Uint32Array {
    const { words, from } = this.#file.at(page)
    return words.slice(from + 1, from + 1 + SLOTS * SLOT_WORDS)
  }

  #grow(): void {
    const larger = PagedIndex.make(`${this.#path}.larger`, 2 * this.#pages)
    const never = () => false
    for (let page = 0; page < this.#pages; page++) {
      const words = this.#wordsOf(page)
      for (let at = 0; at < words.length; at += SLOT_WORDS) {
        const length = words[at + LENGTH_AT] as number
        if (length === 0) continue
        const low = words[at] as number
        const high = words[at + 1] as number
        larger.set(larger.slotOf(low, high, never), low, high, offsetOf(words, at), length)
      }
    }
    larger.moveTo(this.#path)
    this.#file.discard()
    this.#file = larger.#file
    this.#pages = larger.#pages
  }
}

function offsetOf(words: Uint32Array, word: number): number {
  return (words[word + 2] as number) + WORD * (words[word + 3] as number)
}
