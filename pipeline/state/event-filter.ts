/**
 * Bloom filters of the ids of all landed events. Most ids of a batch are new, and the filters show
 * that without a read of the warehouse; those that may have landed are looked up there.
 *
 * A filter is full after a certain number of ids, and another is begun: the rate of wrong reports
 * stays the same, about one id in a million per filter, and only the last filter is written again.
 * The head has the checksum of every file, so that nothing torn or outdated is used.
 */

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { BloomFilter } from '../base/bloom-filter.ts'
import { wordsOf } from '../base/hash.ts'
import type { Position } from './written.ts'

/** Ids of the first filter; each next one has twice as many, up to a limit. */
const IDS_LOG2_MIN = 16
const IDS_LOG2_MAX = 20
const BITS_PER_ID = 32
/** Bits set per id. */
const PROBES = 12

type Filter = { bits: BloomFilter; count: number; isChanged: boolean }
/** Contents of the head: the ids of all events up to a position are in the files. */
type Head = { position: Position; files: { count: number; checksum: number }[] }

export class EventFilter {
  readonly #filters: Filter[] = []

  /** Reads the filters in a folder, and the position up to which they have all events. Returns null
   * if there are none, or one is damaged. */
  static read(dir: string): { filter: EventFilter; position: Position } | null {
    const path = join(dir, 'ids')
    if (!existsSync(path)) return null
    const { position, files } = JSON.parse(readFileSync(path, 'utf8')) as Head
    const filter = new EventFilter()
    for (const [i, { count, checksum }] of files.entries()) {
      const bytes = existsSync(fileOf(dir, i)) ? readFileSync(fileOf(dir, i)) : Buffer.alloc(0)
      if (bytes.length !== 4 * lengthOf(i) || crc32(bytes) !== checksum) return null
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, lengthOf(i))
      filter.#filters.push({ bits: new BloomFilter(words, PROBES), count, isChanged: false })
    }
    return { filter, position }
  }

  /** Writes the filters into a folder. They have all events up to the position. */
  write(dir: string, position: Position): void {
    const path = join(dir, 'ids')
    const known = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Head).files : []
    rmSync(path, { force: true })
    const files = this.#filters.map(({ bits, count, isChanged }, i) => {
      const before = known[i]
      if (!isChanged && before !== undefined) return before
      const bytes = Buffer.from(bits.words.buffer as ArrayBuffer)
      writeFileSync(fileOf(dir, i), bytes)
      return { count, checksum: crc32(bytes) }
    })
    writeFileSync(`${path}.new`, JSON.stringify({ position, files } satisfies Head))
    renameSync(`${path}.new`, path)
  }

  /** Adds event ids by their 64-bit hashes. */
  add(hashes: BigUint64Array): void {
    const halves = wordsOf(hashes)
    for (let i = 0; i < halves.length; i += 2) {
      const filter = this.#withRoom()
      filter.count += 1
      filter.isChanged = true
      filter.bits.add(halves[i] as number, halves[i + 1] as number)
    }
  }

  /** Returns those of the hashes that may have been added. */
  candidates(hashes: BigUint64Array): BigUint64Array {
    const halves = wordsOf(hashes)
    const found: number[] = []
    for (let row = 0; row < hashes.length; row++) {
      const low = halves[2 * row] as number
      const high = halves[2 * row + 1] as number
      for (const { bits } of this.#filters) {
        if (!bits.mayHave(low, high)) continue
        found.push(row)
        break
      }
    }
    return BigUint64Array.from(found, (row) => hashes[row] as bigint)
  }

  #withRoom(): Filter {
    const last = this.#filters.at(-1)
    if (last !== undefined && last.count < 2 ** idsLog2(this.#filters.length - 1)) return last
    const words = new Uint32Array(lengthOf(this.#filters.length))
    const filter = { bits: new BloomFilter(words, PROBES), count: 0, isChanged: true }
    this.#filters.push(filter)
    return filter
  }
}

const fileOf = (dir: string, i: number) => join(dir, `ids-${i}`)
const idsLog2 = (i: number) => Math.min(IDS_LOG2_MIN + i, IDS_LOG2_MAX)
const lengthOf = (i: number) => (2 ** idsLog2(i) * BITS_PER_ID) / 32
