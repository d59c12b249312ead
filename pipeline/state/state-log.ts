/**
 * Append-only log of records with a hash index of the latest record per key.
 *
 * Each commit's records end with a position. On opening, records after the last position and
 * everything from the first damaged record on are cut off. The index is written on close, so that
 * opening does not read the log. It is removed while the log is open, because a crash would leave
 * an outdated one. A log that is more than half garbage is compacted. Nothing is synchronized to
 * disk, because the warehouse has all data.
 */

import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { KeyIndex, type Place } from './key-index.ts'
import {
  decodeRecord,
  encodeRecord,
  FORMAT_VERSION,
  lengthAt,
  type StateRecord,
} from './record-codec.ts'
import { hash64 } from '../base/hash.ts'

/** Commit up to which a log is complete, and whether it has every key of the warehouse. */
export type Position = { batch: number; recordedAt: number; erasures: number; isComplete: boolean }

/** Value to write under a key; the log sets `previous` of a segment. */
export type Written = Pick<StateRecord, 'space' | 'key' | 'text'> & {
  type: 'value' | 'unknown'
  /** Whether a segment continues the stored one. */
  isNext?: boolean
}

const START = Buffer.from([...Buffer.from('DPSTATE'), FORMAT_VERSION])
/** Most records are shorter, so one read returns them. */
const READ_BYTES = 512
const CHUNK_BYTES = 1 << 20
const COMPACT_BYTES_MIN = 1 << 22

/** Thrown if a record is damaged that was intact when the log was opened. */
export class DamagedLog extends Error {}

export class StateLog {
  readonly #dir: string
  #file: number
  #size: number
  #index: KeyIndex
  /** Last record read, for comparing its key: it is often the one requested. */
  #last: { offset: number; record: StateRecord } | null = null
  /** Bytes of replaced records. */
  #garbage = 0
  #position: Position | null = null
  readonly #compactBytesMin: number

  private constructor(dir: string, file: number, compactBytesMin: number) {
    this.#dir = dir
    this.#file = file
    this.#size = fstatSync(file).size
    this.#index = new KeyIndex()
    this.#compactBytesMin = compactBytesMin
  }

  /** Opens the log in a folder, or creates an empty one. A log of another format is replaced. */
  static open(dir: string, compactBytesMin = COMPACT_BYTES_MIN): StateLog {
    mkdirSync(dir, { recursive: true })
    rmSync(join(dir, 'log.new'), { force: true })
    const path = join(dir, 'log')
    const file = openSync(path, existsSync(path) ? 'r+' : 'w+')
    const log = new StateLog(dir, file, compactBytesMin)
    log.#read()
    return log
  }

  /** Null before the first write. */
  get position(): Position | null {
    return this.#position
  }

  /** Returns the latest record of a key, or null. Throws `DamagedLog`. */
  get(space: number, key: string): StateRecord | null {
    const place = this.#find(space, key)
    if (place === null) return null
    return this.#last?.offset === place.offset
      ? this.#last.record
      : this.#recordAt(place.offset, place.length)
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

  /** Appends records and a position, in one write. */
  write(written: readonly Written[], position: Position): void {
    const parts: Buffer[] = []
    const placed: { space: number; key: string; place: Place }[] = []
    /** Records of this write are not in the file yet. */
    const latest = new Map<string, number>()
    let offset = this.#size
    for (const { isNext = false, type, space, key, text } of written) {
      const name = `${space} ${key}`
      const previous = isNext ? (latest.get(name) ?? this.#find(space, key)?.offset ?? 0) : 0
      const bytes = encodeRecord({ type, space, key, text, previous })
      parts.push(bytes)
      placed.push({ space, key, place: { offset, length: bytes.length } })
      latest.set(name, offset)
      offset += bytes.length
    }
    parts.push(positionBytes(position))
    const bytes = Buffer.concat(parts)
    this.#writeAt(bytes, this.#size)
    this.#size += bytes.length
    this.#position = position
    placed.forEach(({ space, key, place }, i) => {
      const before = this.#set(space, key, place)
      if (before !== null && written[i]?.isNext !== true) this.#garbage += before.length
    })
    if (this.#size > this.#compactBytesMin && this.#garbage > this.#size / 2) this.#compact()
  }

  /** Writes the index and closes the file. */
  close(): void {
    const index = this.#index.bytes()
    const summary = { size: this.#size, garbage: this.#garbage, position: this.#position }
    const head = Buffer.from(JSON.stringify({ ...summary, version: FORMAT_VERSION }))
    const lengths = Buffer.alloc(8)
    lengths.writeUInt32LE(head.length, 4)
    lengths.writeUInt32LE(crc32(Buffer.concat([lengths.subarray(4), head, index])), 0)
    const path = join(this.#dir, 'index')
    writeFileSync(`${path}.new`, Buffer.concat([lengths, head, index]))
    renameSync(`${path}.new`, path)
    closeSync(this.#file)
  }

  /** Closes the file and removes the folder. */
  remove(): void {
    try {
      closeSync(this.#file)
    } catch {
      // It is closed already.
    }
    rmSync(this.#dir, { recursive: true, force: true })
  }

  #read(): void {
    const start = Buffer.alloc(START.length)
    readSync(this.#file, start, 0, start.length, 0)
    const isOurs = start.equals(START)
    const hasIndex = isOurs && this.#readIndex()
    rmSync(join(this.#dir, 'index'), { force: true })
    if (hasIndex) return
    const end = isOurs ? this.#scan() : 0
    ftruncateSync(this.#file, end)
    if (end === 0) this.#writeAt(START, 0)
    this.#size = Math.max(end, START.length)
  }

  #readIndex(): boolean {
    const path = join(this.#dir, 'index')
    if (!existsSync(path)) return false
    const bytes = readFileSync(path)
    if (bytes.length < 8) return false
    if (crc32(bytes.subarray(4)) !== bytes.readUInt32LE(0)) return false
    const rest = bytes.subarray(8)
    const headEnd = bytes.readUInt32LE(4)
    const head = JSON.parse(rest.toString('utf8', 0, headEnd))
    const index = KeyIndex.read(rest.subarray(headEnd))
    if (head.size !== this.#size || head.version !== FORMAT_VERSION || index === null) return false
    this.#index = index
    this.#garbage = head.garbage
    this.#position = head.position
    return true
  }

  /** Reads the log from its start. Returns the end of its last position. */
  #scan(): number {
    let end = START.length
    let waiting: { record: StateRecord; place: Place }[] = []
    for (let offset = START.length; offset < this.#size;) {
      const found = this.#tryAt(offset)
      if (found === null) break
      const { record, length } = found
      if (record.type === 'position') {
        for (const { record: one, place } of waiting) {
          const before = this.#set(one.space, one.key, place)
          if (before !== null && one.previous !== before.offset) this.#garbage += before.length
        }
        waiting = []
        end = offset + length
        this.#position = JSON.parse(record.text) as Position
      } else {
        waiting.push({ record, place: { offset, length } })
      }
      offset += length
    }
    return end
  }

  /** Rewrites the log without its garbage. */
  #compact(): void {
    const path = join(this.#dir, 'log.new')
    const file = openSync(path, 'w+')
    const before = { file: this.#file, index: this.#index }
    const index = new KeyIndex()
    let size = 0
    let parts: Buffer[] = []
    let waiting = 0
    const flush = () => {
      const bytes = Buffer.concat(parts)
      writeSync(file, bytes, 0, bytes.length, size - bytes.length)
      parts = []
      waiting = 0
    }
    const add = (bytes: Buffer) => {
      parts.push(bytes)
      size += bytes.length
      waiting += bytes.length
      if (waiting > CHUNK_BYTES) flush()
    }
    add(START)
    const never = () => false
    for (const place of before.index.places()) {
      const last = this.#recordAt(place.offset, place.length)
      let previous = 0
      let length = 0
      for (const text of this.chain(last)) {
        const bytes = encodeRecord({ ...last, text, previous })
        previous = size
        length = bytes.length
        add(bytes)
      }
      index.set(hashOf(last.space, last.key), { offset: previous, length }, never)
    }
    add(positionBytes(this.#position as Position))
    flush()
    renameSync(path, join(this.#dir, 'log'))
    closeSync(before.file)
    this.#file = file
    this.#index = index
    this.#last = null
    this.#size = size
    this.#garbage = 0
  }

  #find(space: number, key: string): Place | null {
    return this.#index.find(hashOf(space, key), (place) => this.#isOf(place, space, key))
  }

  #set(space: number, key: string, place: Place): Place | null {
    return this.#index.set(hashOf(space, key), place, (other) => this.#isOf(other, space, key))
  }

  #isOf(place: Place, space: number, key: string): boolean {
    const record = this.#recordAt(place.offset, place.length)
    this.#last = { offset: place.offset, record }
    return record.space === space && record.key === key
  }

  #recordAt(offset: number, length?: number): StateRecord {
    const found = this.#tryAt(offset, length)
    if (found === null) throw new DamagedLog(`record at ${offset} of ${this.#dir} is damaged`)
    return found.record
  }

  #tryAt(offset: number, length = READ_BYTES): { record: StateRecord; length: number } | null {
    const bytes = this.#bytesAt(offset, length)
    const whole = lengthAt(bytes, 0)
    if (whole === null || offset + whole > this.#size) return null
    return decodeRecord(whole <= bytes.length ? bytes : this.#bytesAt(offset, whole))
  }

  #bytesAt(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.min(length, Math.max(0, this.#size - offset)))
    const read = readSync(this.#file, bytes, 0, bytes.length, offset)
    return bytes.subarray(0, read)
  }

  #writeAt(bytes: Buffer, offset: number): void {
    for (let done = 0; done < bytes.length;) {
      done += writeSync(this.#file, bytes, done, bytes.length - done, offset + done)
    }
  }
}

function hashOf(space: number, key: string): bigint {
  return hash64(`${space}\n${key}`)
}

function positionBytes(position: Position): Buffer {
  const text = JSON.stringify(position)
  return encodeRecord({ type: 'position', space: 0, previous: 0, key: '', text })
}
