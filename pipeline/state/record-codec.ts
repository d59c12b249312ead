/**
 * Binary form of the records of a state log, version 1, little-endian.
 *
 *   record = length of the body (4 bytes), checksum of the body (4 bytes), body
 *   body   = type (1 byte), space (1 byte), previous offset (8 bytes), key length (4 bytes), key, text
 *
 * A `position` record ends what one commit has written; its text is JSON.
 */

import { crc32 } from 'node:zlib'

export const FORMAT_VERSION = 1

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

export const HEAD_BYTES = 8
const FIXED_BYTES = 14

/** Returns the bytes of a record. */
export function encodeRecord({ type, space, previous, key, text }: StateRecord): Buffer {
  const keyBytes = Buffer.byteLength(key)
  const size = FIXED_BYTES + keyBytes + Buffer.byteLength(text)
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + size)
  bytes.writeUInt8(RECORD_TYPES.indexOf(type), 8)
  bytes.writeUInt8(space, 9)
  bytes.writeDoubleLE(previous, 10)
  bytes.writeUInt32LE(keyBytes, 18)
  bytes.write(key, HEAD_BYTES + FIXED_BYTES)
  bytes.write(text, HEAD_BYTES + FIXED_BYTES + keyBytes)
  bytes.writeUInt32LE(size, 0)
  bytes.writeUInt32LE(crc32(bytes.subarray(HEAD_BYTES)), 4)
  return bytes
}

/** Returns the record at an offset and its length in bytes; null if it is torn or damaged. */
export function decodeRecord(
  bytes: Buffer,
  at = 0,
): { record: StateRecord; length: number } | null {
  if (at + HEAD_BYTES + FIXED_BYTES > bytes.length) return null
  const size = bytes.readUInt32LE(at)
  const end = at + HEAD_BYTES + size
  if (size < FIXED_BYTES || end > bytes.length) return null
  const body = bytes.subarray(at + HEAD_BYTES, end)
  if (crc32(body) !== bytes.readUInt32LE(at + 4)) return null
  const type = RECORD_TYPES[body.readUInt8(0)]
  const keyEnd = FIXED_BYTES + body.readUInt32LE(10)
  if (type === undefined || keyEnd > body.length) return null
  const record = {
    type,
    space: body.readUInt8(1),
    previous: body.readDoubleLE(2),
    key: body.toString('utf8', FIXED_BYTES, keyEnd),
    text: body.toString('utf8', keyEnd),
  }
  return { record, length: HEAD_BYTES + size }
}

/** Returns the full length of the record at an offset if it is longer than the bytes read,
 * otherwise null. */
export function lengthAt(bytes: Buffer, at: number): number | null {
  return at + 4 > bytes.length ? null : HEAD_BYTES + bytes.readUInt32LE(at)
}
