/**
 * Append-only log of records with a hash index of the latest record per key.
 *
 * Each commit's records end with a position. On opening, records after the last position and
 * everything from the first damaged record on are cut off. The index is in a file of its own, so
 * opening does not read the log. It is void while the log is open, because a crash would leave
 * an outdated one. A log that is more than half garbage is compacted. The log is not synchronized to
 * disk, because the warehouse has all data.
 */

import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { compactLog, type Kept } from './compact-log.ts'
import { DamagedLog } from './damaged-log.ts'
import { LogFile } from './log-file.ts'
import { PagedIndex, hashIn } from './paged-index.ts'
import {
  decodeRecord,
  FLUSH_BYTES,
  isRecordOf,
  isWhole,
  lengthAt,
  recordOf,
  RecordWriter,
  START,
  typeOf,
  type StateRecord,
} from './record-codec.ts'
import { moveSlice, sliceOf, type Slice } from './slice.ts'
import type { Position, Written, WrittenColumns } from './written.ts'
import { hashWords } from '../base/hash.ts'

/** Most records are shorter, so one read returns them. */
const READ_BYTES = 512
const COMPACT_BYTES_MIN = 1 << 22
/** Files that a crash leaves. */
const UNFINISHED = ['log.new', 'index.new', 'index.larger', 'index.new.larger']

type Found = { record: StateRecord; offset: number; length: number }

export class StateLog {
  readonly #dir: string
  #file: LogFile
  #index: PagedIndex
  /** Records that are not in the file yet. */
  readonly #writer = new RecordWriter()
  /** Bytes of replaced records. */
  #garbage = 0
  #position: Position | null = null
  readonly #compactBytesMin: number
  /** Hash and space of the key that is looked for, and the key. */
  #hash = 0
  #space = 0
  #key: Slice = sliceOf('')
  /** Bytes of the whole record that was compared last. Valid until the next read. */
  #compared: Buffer = Buffer.alloc(0)

  private constructor(dir: string, file: LogFile, compactBytesMin: number) {
    this.#dir = dir
    this.#file = file
    this.#compactBytesMin = compactBytesMin
    this.#index = this.#read()
  }

  /** Opens the log in a folder, or creates an empty one. A log of another format is replaced. */
  static open(dir: string, compactBytesMin = COMPACT_BYTES_MIN): StateLog {
    mkdirSync(dir, { recursive: true })
    for (const name of UNFINISHED) rmSync(join(dir, name), { force: true })
    return new StateLog(dir, LogFile.open(join(dir, 'log')), compactBytesMin)
  }

  /** Null before the first write. */
  get position(): Position | null {
    return this.#position
  }

  /** Returns the latest record of a key, or null. Throws `DamagedLog`. */
  get(space: number, key: string): StateRecord | null {
    this.#seek(space, key)
    const slot = this.#index.slotOf(this.#hash, this.#isWholeKey)
    return this.#index.offsetAt(slot) === 0 ? null : recordOf(this.#compared, key)
  }

  /** Returns the texts of a key's segments, oldest first. Throws `DamagedLog`. */
  chain(last: StateRecord): string[] {
    const texts = [last.text]
    for (let at = last.previous; at !== 0;) {
      const record = this.#recordAt(at)
      texts.push(record.text)
      at = record.previous
    }
    return texts.reverse()
  }

  /** Appends records and a position. After a failure the log must not be used. */
  write(written: readonly Written[], position: Position): void {
    this.add(written)
    this.#finish(position)
  }

  /** Appends records. The next `write` completes them; without one, the log must be removed. */
  add(written: readonly Written[]): void {
    for (const { isNext = false, type, space, key, text } of written) {
      this.#seek(space, key)
      this.#add(type, sliceOf(text), isNext, false)
    }
  }

  /** Appends the values of a commit and a position. After a failure the log must not be used. */
  writeColumns(columns: readonly WrittenColumns[], position: Position): void {
    this.addColumns(columns)
    this.#finish(position)
  }

  /** Appends values of a commit. The next `write` completes it, with no values if there are no
   * more; without one, the log must be removed. */
  addColumns(columns: readonly WrittenColumns[]): void {
    const text = sliceOf('')
    this.#key = sliceOf('')
    for (const { space, hashes, keys, texts, isNext } of columns) {
      for (let row = 0; row < keys.offsets.length - 1; row++) {
        this.#seekHash(space, hashes[2 * row] as number)
        moveSlice(this.#key, keys, row)
        moveSlice(text, texts, row)
        this.#add('value', text, isNext, isNext)
      }
    }
  }

  /** Writes the index and closes the file. */
  close(): void {
    const head = { size: this.#file.size, garbage: this.#garbage, position: this.#position }
    this.#index.close(head)
    this.#file.close()
  }

  /** Closes the file and removes the folder. */
  remove(): void {
    for (const close of [() => this.#file.close(), () => this.#index.discard()]) {
      try {
        close()
      } catch {
        // It is closed already.
      }
    }
    rmSync(this.#dir, { recursive: true, force: true })
  }

  #seek(space: number, key: string): void {
    this.#seekHash(space, hashWords(key)[0])
    this.#key = sliceOf(key)
  }

  #seekHash(space: number, low: number): void {
    this.#hash = hashIn(space, low)
    this.#space = space
  }

  readonly #isKey = (offset: number, length: number): boolean =>
    isRecordOf(this.#bytesAt(offset, length), this.#space, this.#key)

  readonly #isWholeKey = (offset: number, length: number): boolean => {
    const bytes = this.#wholeAt(offset, length)
    if (!isWhole(bytes)) throw this.#damaged(offset)
    this.#compared = bytes
    return isRecordOf(bytes, this.#space, this.#key)
  }

  /**
   * Adds a record of the key that is looked for. A damaged record in its way is taken for another
   * key's: reading the key then comes to it first, and throws.
   */
  #add(type: 'value' | 'unknown', text: Slice, isNext: boolean, isKnownOnly: boolean): void {
    const index = this.#index
    const slot = index.slotOf(this.#hash, this.#isKey)
    const before = index.offsetAt(slot)
    if (isKnownOnly && !this.#isKnown(before, index.lengthAt(slot))) return
    const previous = isNext ? before : 0
    const offset = this.#end
    const length = this.#writer.add(type, this.#space, previous, this.#key, text)
    if (before !== 0 && !isNext) this.#garbage += index.lengthAt(slot)
    index.set(slot, this.#hash, offset, length)
    if (this.#writer.length > FLUSH_BYTES) this.#flush()
  }

  /** Whether all segments of a stream are here. */
  #isKnown(offset: number, length: number): boolean {
    if (offset === 0) return this.#position?.isComplete === true
    return typeOf(this.#bytesAt(offset, length)) === 'value'
  }

  #finish(position: Position): void {
    this.#writer.addPosition(position)
    this.#flush()
    this.#position = position
    const { size } = this.#file
    if (size > this.#compactBytesMin && this.#garbage > size / 2) this.#compact()
  }

  get #end(): number {
    return this.#file.size + this.#writer.length
  }

  #flush(): void {
    this.#file.append(this.#writer.bytes)
    this.#writer.clear()
  }

  /** Returns the index, and restores the position that belongs to it. */
  #read(): PagedIndex {
    const path = join(this.#dir, 'index')
    const isOurs = this.#file.read(0, START.length).equals(START)
    const found = isOurs ? PagedIndex.open(path, this.#file.size) : null
    if (found !== null) {
      this.#garbage = found.garbage
      this.#position = found.position
      return found.index
    }
    const index = PagedIndex.make(path)
    const end = isOurs ? this.#scan(index) : 0
    this.#file.cut(end)
    if (end === 0) this.#file.append(START)
    return index
  }

  /** Reads the log from its start. Returns the end of its last position. */
  #scan(index: PagedIndex): number {
    let end = START.length
    let waiting: Found[] = []
    for (let offset = START.length; offset < this.#file.size;) {
      const found = decodeRecord(this.#wholeAt(offset, READ_BYTES))
      if (found === null) break
      const { record, length } = found
      if (record.type === 'position') {
        for (const one of waiting) this.#place(index, one)
        waiting = []
        end = offset + length
        this.#position = JSON.parse(record.text) as Position
      } else {
        waiting.push({ record, offset, length })
      }
      offset += length
    }
    return end
  }

  #place(index: PagedIndex, { record, offset, length }: Found): void {
    this.#seek(record.space, record.key)
    const slot = index.slotOf(this.#hash, this.#isKey)
    const before = index.offsetAt(slot)
    if (before !== 0 && record.previous !== before) this.#garbage += index.lengthAt(slot)
    index.set(slot, this.#hash, offset, length)
  }

  /** Rewrites the log without its garbage. */
  #compact(): void {
    const path = join(this.#dir, 'log.new')
    const { file, index } = compactLog(path, join(this.#dir, 'index.new'), this.#kept())
    this.#file.close()
    this.#file = file
    this.#writer.addPosition(this.#position as Position)
    this.#flush()
    this.#index.discard()
    index.moveTo(join(this.#dir, 'index'))
    renameSync(path, join(this.#dir, 'log'))
    this.#index = index
    this.#garbage = 0
  }

  *#kept(): Generator<Kept> {
    for (const { offset, length } of this.#index.places()) {
      const last = this.#recordAt(offset, length)
      yield { last, texts: this.chain(last) }
    }
  }

  #recordAt(offset: number, length = READ_BYTES): StateRecord {
    const found = decodeRecord(this.#wholeAt(offset, length))
    if (found === null) throw this.#damaged(offset)
    return found.record
  }

  #damaged = (offset: number) => new DamagedLog(`record at ${offset} of ${this.#dir} is damaged`)

  /** Returns at least `length` bytes at an offset, and more if the record there is longer. */
  #wholeAt(offset: number, length: number): Buffer {
    const bytes = this.#bytesAt(offset, length)
    const whole = lengthAt(bytes, 0)
    if (whole === null || whole <= bytes.length || offset + whole > this.#end) return bytes
    return this.#bytesAt(offset, whole)
  }

  /** Bytes of the file or, beyond its end, of what is still to be written. */
  #bytesAt(offset: number, length: number): Buffer {
    const { size } = this.#file
    if (offset < size) return this.#file.read(offset, length)
    return this.#writer.bytes.subarray(offset - size, offset - size + length)
  }
}
