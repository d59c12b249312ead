/**
 * Binary form of the records of a state log, version 4, little-endian.
 *
 *   record = length of the body (4 bytes), checksum of the body (4 bytes), body
 *   body   = type (1 byte), space (1 byte), previous offset (8 bytes), key length (4 bytes), key,
 *            packed text (`text-packer.ts`)
 *
 * A `position` record ends what one commit has written; its text is JSON.
 */

import { crc32 } from 'node:zlib'
import { copySlice, sliceOf, type Slice } from './slice.ts'
import { packedMax, TextPacker, unpack } from './text-packer.ts'

/** Version 4 packs texts. */
export const FORMAT_VERSION = 4

/** `value`: the latest text of a key, or the latest segment of a stream, which has the offset of
 * the previous segment. `unknown`: the warehouse has a newer value. */
export const RECORD_TYPES = ['value', 'unknown', 'position'] as const
export type RecordType = (typeof RECORD_TYPES)[number]

export type StateRecord = {
  type: RecordType
  /** Kind of key: images of one kind, or history. */
  space: number
  /** Offset of the previous segment; 0 for the first. */
  previous: number
  key: string
  text: string
}

const HEAD_BYTES = 8
const FIXED_BYTES = 14
/** First bytes of a log. */
export const START = Buffer.from([...Buffer.from('DPSTATE'), FORMAT_VERSION])
/** Records are buffered up to this size. */
export const FLUSH_BYTES = 1 << 22
const KEY_AT = HEAD_BYTES + FIXED_BYTES
const BYTES_AT_FIRST = 1 << 16

/** Writes records one after another into one buffer. */
export class RecordWriter {
  #bytes = Buffer.allocUnsafe(BYTES_AT_FIRST)
  #end = 0
  readonly #packer = new TextPacker()

  /** Returns the bytes written since the last `clear`. Valid until the next `add`. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#end)
  }

  get length(): number {
    return this.#end
  }

  /** Adds a record and returns its length in bytes. */
  add(type: RecordType, space: number, previous: number, key: Slice, text: Slice): number {
    const keyBytes = key.to - key.from
    this.#reserve(KEY_AT + keyBytes + packedMax(text.to - text.from))
    const bytes = this.#bytes
    const at = this.#end
    bytes[at + HEAD_BYTES] = RECORD_TYPES.indexOf(type)
    bytes[at + HEAD_BYTES + 1] = space
    bytes.writeDoubleLE(previous, at + HEAD_BYTES + 2)
    bytes.writeUInt32LE(keyBytes, at + HEAD_BYTES + 10)
    copySlice(key, bytes, at + KEY_AT)
    const end = this.#packer.pack(key, text, bytes, at + KEY_AT + keyBytes)
    bytes.writeUInt32LE(end - at - HEAD_BYTES, at)
    bytes.writeUInt32LE(crc32(bytes.subarray(at + HEAD_BYTES, end)), at + 4)
    this.#end = end
    return end - at
  }

  /** Adds the record that ends what a commit has written. */
  addPosition(position: object): void {
    this.add('position', 0, 0, sliceOf(''), sliceOf(JSON.stringify(position)))
  }

  clear(): void {
    this.#end = 0
  }

  #reserve(more: number): void {
    if (this.#end + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#end + more))
    this.#bytes.copy(larger, 0, 0, this.#end)
    this.#bytes = larger
  }
}

/** Whether bytes begin with a whole record that has its checksum. */
export function isWhole(bytes: Buffer): boolean {
  const length = lengthAt(bytes, 0)
  if (length === null || length < KEY_AT || length > bytes.length) return false
  return crc32(bytes.subarray(HEAD_BYTES, length)) === bytes.readUInt32LE(4)
}

/** Whether the record that bytes begin with has a key; they may be damaged. */
export function isRecordOf(bytes: Uint8Array, space: number, { bytes: key, from, to }: Slice) {
  if (bytes.length < KEY_AT + to - from || bytes[HEAD_BYTES + 1] !== space) return false
  const length = to - from
  const at = HEAD_BYTES + 10
  const isLength =
    bytes[at] === (length & 0xff) &&
    bytes[at + 1] === ((length >>> 8) & 0xff) &&
    bytes[at + 2] === ((length >>> 16) & 0xff) &&
    bytes[at + 3] === length >>> 24
  if (!isLength) return false
  for (let i = 0; i < length; i++) if (bytes[KEY_AT + i] !== key[from + i]) return false
  return true
}

/** The type of the record that bytes begin with. */
export function typeOf(bytes: Uint8Array): RecordType | undefined {
  return RECORD_TYPES[bytes[HEAD_BYTES] as number]
}

/** Returns the record at the start of bytes and its length; null if it is torn or damaged. */
export function decodeRecord(bytes: Buffer): { record: StateRecord; length: number } | null {
  if (!isWhole(bytes)) return null
  const length = lengthAt(bytes, 0) as number
  const keyEnd = KEY_AT + bytes.readUInt32LE(HEAD_BYTES + 10)
  if (typeOf(bytes) === undefined || keyEnd > length) return null
  return { record: recordOf(bytes, bytes.toString('utf8', KEY_AT, keyEnd)), length }
}

/** Returns the record of a key at the start of bytes. It must be whole and have that key. */
export function recordOf(bytes: Buffer, key: string): StateRecord {
  const keyEnd = KEY_AT + bytes.readUInt32LE(HEAD_BYTES + 10)
  return {
    type: typeOf(bytes) as RecordType,
    space: bytes.readUInt8(HEAD_BYTES + 1),
    previous: bytes.readDoubleLE(HEAD_BYTES + 2),
    key,
    text: unpack(
      { bytes, from: KEY_AT, to: keyEnd },
      { bytes, from: keyEnd, to: lengthAt(bytes, 0) as number },
    ),
  }
}

/** Returns the full length of the record at an offset if it is longer than the bytes read,
 * otherwise null. */
export function lengthAt(bytes: Buffer, at: number): number | null {
  return at + 4 > bytes.length ? null : HEAD_BYTES + bytes.readUInt32LE(at)
}
