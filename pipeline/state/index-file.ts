/** The index of a state log as it is written down on close: checksum, length of the head, head as
 * JSON, index. */

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { KeyIndex } from './key-index.ts'
import { FORMAT_VERSION } from './record-codec.ts'
import type { Position } from './written.ts'

/** State of a log beside its records. `size` is the length of the file, bytes. */
export type IndexHead = { size: number; garbage: number; position: Position | null }

const LENGTHS = 8

/** Writes the index of a log into its folder. */
export function writeIndex(dir: string, indexHead: IndexHead, index: KeyIndex): void {
  const head = Buffer.from(JSON.stringify({ ...indexHead, version: FORMAT_VERSION }))
  const slots = index.bytes()
  const lengths = Buffer.alloc(LENGTHS)
  lengths.writeUInt32LE(head.length, 4)
  lengths.writeUInt32LE(crc32(Buffer.concat([lengths.subarray(4), head, slots])), 0)
  const path = join(dir, 'index')
  writeFileSync(`${path}.new`, Buffer.concat([lengths, head, slots]))
  renameSync(`${path}.new`, path)
}

/** Reads the index of a log of `size` bytes and removes its file. Returns null if it is missing,
 * damaged, of another log or of another format. */
export function takeIndex(dir: string, size: number): (IndexHead & { index: KeyIndex }) | null {
  const path = join(dir, 'index')
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
  rmSync(path, { force: true })
  if (bytes.length < LENGTHS) return null
  if (crc32(bytes.subarray(4)) !== bytes.readUInt32LE(0)) return null
  const headEnd = LENGTHS + bytes.readUInt32LE(4)
  const head = JSON.parse(bytes.toString('utf8', LENGTHS, headEnd))
  const index = KeyIndex.read(bytes.subarray(headEnd))
  const isThis = head.size === size && head.version === FORMAT_VERSION
  return isThis && index !== null ? { ...(head as IndexHead), index } : null
}
