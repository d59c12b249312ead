/**
 * Index of a state log: a hash table in the pages of a file. It has the position of the latest record
 * of each key.
 *
 * Keys are found by a 32-bit hash. The caller compares the full key, because hashes can collide. A key
 * is in the page that its hash selects, or in the next one if that is full. A slot is a position in
 * the index: `slotOf` finds that of a key, whether it is taken or not.
 */

import { renameSync } from 'node:fs'
import { PAGE_WORDS, PageFile } from './page-file.ts'
import { FORMAT_VERSION } from './record-codec.ts'
import type { Position } from './written.ts'

/** State of a log beside its records. `size` is the length of the file, bytes. */
export type IndexHead = { size: number; garbage: number; position: Position | null }

type StoredHead = IndexHead & { version: number; pages: number; count: number }

/** Words per slot: the hash, the low word of the offset, and its high part with the size. */
const SLOT_WORDS = 3
const SLOTS = Math.floor((PAGE_WORDS - 1) / SLOT_WORDS)
/** The size of a record is its length in units, 0 if the slot is empty. A longer one has the largest
 * size. */
const SIZE_BITS = 20
const SIZE_MAX = 2 ** SIZE_BITS - 1
const SIZE_UNIT = 16
const PAGES_MIN = 4
/** The number of pages doubles when a larger share of the slots is in use. */
const LOAD_MAX = 0.7
const WORD = 2 ** 32

/** Position of a record, bytes. The length is at most `SIZE_UNIT - 1` more than that of the record, and
 * less for one of more than 16 MiB. */
export type Place = { offset: number; length: number }

/** Returns whether a record at a position has the key in question. */
export type IsKey = (offset: number, length: number) => boolean

/** Returns the hash of a key in a space, by the low word of the key's hash: equal keys of two spaces get
 * different slots. */
export function hashIn(space: number, low: number): number {
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
  slotOf(hash: number, isKey: IsKey): number {
    const first = (hash >>> 16) % SLOTS
    for (let step = 0; ; step++) {
      const page = (hash + step) & (this.#pages - 1)
      const { words, from } = this.#file.at(page)
      for (let i = 0; i < SLOTS; i++) {
        const at = (first + i) % SLOTS
        const word = from + 1 + at * SLOT_WORDS
        const length = lengthOf(words, word)
        if (length === 0) return page * SLOTS + at
        if (words[word] === hash && isKey(offsetOf(words, word), length)) return page * SLOTS + at
      }
    }
  }

  /** Offset of the record of a slot; 0: the slot is empty. */
  offsetAt(slot: number): number {
    const { words, from } = this.#file.at(Math.floor(slot / SLOTS))
    return offsetOf(words, from + 1 + (slot % SLOTS) * SLOT_WORDS)
  }

  /** Length of the record of a slot, as in `Place`. */
  lengthAt(slot: number): number {
    const { words, from } = this.#file.at(Math.floor(slot / SLOTS))
    return lengthOf(words, from + 1 + (slot % SLOTS) * SLOT_WORDS)
  }

  /** Sets the place of a key in its slot. */
  set(slot: number, hash: number, offset: number, length: number): void {
    const page = Math.floor(slot / SLOTS)
    const { words, from } = this.#file.at(page)
    const word = from + 1 + (slot % SLOTS) * SLOT_WORDS
    const isNew = lengthOf(words, word) === 0
    const size = Math.min(Math.ceil(length / SIZE_UNIT), SIZE_MAX)
    words[word] = hash
    words[word + 1] = offset % WORD
    words[word + 2] = Math.floor(offset / WORD) * (SIZE_MAX + 1) + size
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
        const length = lengthOf(words, at)
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
        const length = lengthOf(words, at)
        if (length === 0) continue
        const hash = words[at] as number
        larger.set(larger.slotOf(hash, never), hash, offsetOf(words, at), length)
      }
    }
    larger.moveTo(this.#path)
    this.#file.discard()
    this.#file = larger.#file
    this.#pages = larger.#pages
  }
}

function offsetOf(words: Uint32Array, word: number): number {
  return (words[word + 1] as number) + WORD * ((words[word + 2] as number) >>> SIZE_BITS)
}

function lengthOf(words: Uint32Array, word: number): number {
  return ((words[word + 2] as number) & SIZE_MAX) * SIZE_UNIT
}
