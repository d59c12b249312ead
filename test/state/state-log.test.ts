/** State log: a log cut or damaged anywhere returns only what was written before the damage. */

import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { DamagedLog } from '../../pipeline/state/damaged-log.ts'
import { PagedIndex } from '../../pipeline/state/paged-index.ts'
import type { StateRecord } from '../../pipeline/state/record-codec.ts'
import { StateLog } from '../../pipeline/state/state-log.ts'
import type { Written } from '../../pipeline/state/written.ts'
import { isLong } from '../support/long.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))
let folders = 0
const fresh = () => join(dir, String((folders += 1)))

const KEYS = ['a', 'b', 'ü', '']
const SPACES = [0, 4]
/** Tests of every byte take every fifth one, or all in CI. */
const STEP = isLong ? 1 : 5

const value = (key: string, text: string, space = 0): Written => ({
  type: 'value',
  space,
  key,
  text,
})
const next = (key: string, text: string): Written => ({ ...value(key, text, 4), isNext: true })
const at = (batch: number) => ({ batch, recordedAt: batch, erasures: 0, isComplete: true })

/** Returns the content of a log as text. */
function contentOf(log: StateLog): string {
  const found = SPACES.flatMap((space) =>
    KEYS.map((key) => {
      const record = log.get(space, key)
      return record === null ? null : [record.type, ...log.chain(record)]
    }),
  )
  return JSON.stringify([log.position, found])
}

/** Writes batches. Returns the content of the empty log and after each batch. */
function writeAll(folder: string, batches: Written[][], compactBytesMin?: number) {
  const log = StateLog.open(folder, compactBytesMin)
  const contents = [contentOf(log)]
  batches.forEach((batch, i) => {
    log.write(batch, at(i + 1))
    contents.push(contentOf(log))
  })
  return { folder, log, contents }
}

const BATCHES = [
  [value('a', '1'), next('a', 's1'), value('ü', 'x'.repeat(600))],
  [value('a', '2'), next('a', 's2'), next('b', 's1')],
  [{ ...value('a', ''), type: 'unknown' as const }, next('a', 's3'), value('', '9')],
]

test('a log cut at any byte has the content of its last whole batch, and accepts more', () => {
  const folder = fresh()
  const { contents } = writeAll(folder, BATCHES)
  const bytes = readFileSync(join(folder, 'log'))
  let last = 0
  for (let length = bytes.length % STEP; length <= bytes.length; length += STEP) {
    writeFileSync(join(folder, 'log'), bytes.subarray(0, length))
    const log = StateLog.open(folder)
    const known = contents.indexOf(contentOf(log))
    expect({ length, known: known >= last }).toEqual({ length, known: true })
    last = known
    if (length % 97 >= STEP) continue
    log.write([value('b', 'more'), next('a', 'more')], at(9))
    const after = contentOf(log)
    expect(contentOf(StateLog.open(folder))).toBe(after)
  }
  expect(last).toBe(contents.length - 1)
})

test.each([false, true])('detects a flipped bit anywhere, with an index: %s', (hasIndex) => {
  const folder = fresh()
  const { log, contents } = writeAll(folder, BATCHES)
  log.close()
  const [bytes, index] = ['log', 'index'].map((name) => readFileSync(join(folder, name)))
  for (let byte = 0; byte < (bytes as Buffer).length; byte += STEP) {
    const damaged = Buffer.from(bytes as Buffer)
    damaged[byte] = (damaged[byte] as number) ^ (1 << (byte % 8))
    writeFileSync(join(folder, 'log'), damaged)
    if (hasIndex) writeFileSync(join(folder, 'index'), index as Buffer)
    const again = StateLog.open(folder)
    let found: string
    try {
      found = contentOf(again)
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(DamagedLog)
      continue
    }
    expect({ byte, isKnown: contents.includes(found) }).toEqual({ byte, isKnown: true })
  }
})

test('detects a record that is damaged while the log is open when its key is written again', () => {
  const [key, first] = ['a', BATCHES.slice(0, 1)]
  const size = readFileSync(join(writeAll(fresh(), first).folder, 'log')).length
  for (let byte = 8; byte < size; byte += STEP) {
    const { folder, log } = writeAll(fresh(), first)
    const bytes = readFileSync(join(folder, 'log'))
    bytes[byte] = (bytes[byte] as number) ^ 1
    writeFileSync(join(folder, 'log'), bytes)
    log.write([value(key, 'new'), next(key, 's2')], at(2))
    for (const space of SPACES) {
      const answer = attempt(() => log.chain(log.get(space, key) as StateRecord))
      expect([byte, answer]).toEqual([byte, expect.toSatisfy(isTrue(space))])
    }
  }
})

/** Returns whether an answer is valid for a key of the space; null means that damage was detected. */
const isTrue = (space: number) => (answer: string[] | null) =>
  answer === null || answer.join() === (space === 0 ? 'new' : 's1,s2')

function attempt<Answer>(read: () => Answer): Answer | null {
  try {
    return read()
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(DamagedLog)
    return null
  }
}

test('does not use a damaged, foreign or outdated index', () => {
  const folder = fresh()
  const { log, contents } = writeAll(folder, BATCHES)
  log.close()
  const index = readFileSync(join(folder, 'index'))
  let hits = 0
  for (let byte = 0; byte < index.length; byte += 61) {
    const damaged = Buffer.from(index)
    damaged[byte] = (damaged[byte] as number) ^ 1
    writeFileSync(join(folder, 'index'), damaged)
    const found = attempt(() => contentOf(StateLog.open(folder)))
    expect([byte, found ?? contents.at(-1)]).toEqual([byte, contents.at(-1)])
    hits += found === null ? 1 : 0
  }
  expect(hits).toBeGreaterThan(0)
  writeFileSync(join(folder, 'index'), index)
  const again = StateLog.open(folder)
  again.write([value('a', 'later')], at(4))
  const after = contentOf(again)
  writeFileSync(join(folder, 'index'), index)
  expect(contentOf(StateLog.open(folder))).toBe(after)
  appendFileSync(join(folder, 'log'), 'torn')
  expect(contentOf(StateLog.open(folder))).toBe(after)
})

const written = fc.oneof(
  fc
    .record({ key: fc.constantFrom(...KEYS), text: fc.string({ maxLength: 40 }) })
    .map(({ key, text }) => value(key, text)),
  fc
    .record({ key: fc.constantFrom(...KEYS), text: fc.string({ maxLength: 40 }) })
    .map(({ key, text }) => next(key, text)),
  fc.constantFrom(...KEYS).map((key): Written => ({ ...value(key, '', 4), type: 'unknown' })),
)

test('keeps its content through compaction, closing and opening', () => {
  fc.assert(
    fc.property(fc.array(fc.array(written, { maxLength: 6 }), { maxLength: 12 }), (batches) => {
      const [small, large] = [fresh(), fresh()]
      const compacted = writeAll(small, batches, 64)
      const whole = writeAll(large, batches)
      expect(compacted.contents).toEqual(whole.contents)
      compacted.log.close()
      expect(contentOf(StateLog.open(small))).toBe(whole.contents.at(-1))
      whole.log.remove()
    }),
    { numRuns: 60 },
  )
})

test('opens without reading the pages of its index, and reads those of the keys asked for', () => {
  const folder = fresh()
  const log = StateLog.open(folder)
  const keys = Array.from({ length: 20_000 }, (_, i) => `key ${i}`)
  log.write(
    keys.map((key) => value(key, `of ${key}`)),
    at(1),
  )
  log.close()
  const index = readFileSync(join(folder, 'index'))
  // All pages but the head are damaged.
  writeFileSync(join(folder, 'index'), Buffer.from(index).fill(7, 4_096))
  const damaged = StateLog.open(folder)
  expect(damaged.position).toEqual(at(1))
  expect(() => damaged.get(0, 'key 7')).toThrow(DamagedLog)
  writeFileSync(join(folder, 'index'), index)
  const again = StateLog.open(folder)
  expect(keys.filter((key) => again.get(0, key)?.text !== `of ${key}`)).toEqual([])
  again.write([value('key 7', 'new')], at(2))
  again.close()
  const last = StateLog.open(folder)
  expect([last.get(0, 'key 7')?.text, last.get(0, 'key 8')?.text]).toEqual(['new', 'of key 8'])
})

test('distinguishes keys with the same hash', () => {
  const keys: string[] = []
  const index = PagedIndex.make(fresh())
  const slotOf = (key: string, hash: number) =>
    index.slotOf(hash, (offset) => keys[offset - 1] === key)
  for (let i = 0; i < 3_000; i++) {
    const key = `k${i}`
    const slot = slotOf(key, i % 7)
    keys.push(key)
    index.set(slot, i % 7, keys.length, 16 * (i + 1))
  }
  for (const i of [0, 1, 6, 7, 2_999]) {
    const slot = slotOf(`k${i}`, i % 7)
    expect([index.offsetAt(slot), index.lengthAt(slot)]).toEqual([i + 1, 16 * (i + 1)])
  }
  expect(index.offsetAt(slotOf('absent', 3))).toBe(0)
  expect(index.count).toBe(3_000)
})

test('finds records beyond 4 GiB, and gives a length of at least that of a record up to 16 MiB', () => {
  const index = PagedIndex.make(fresh())
  const places = [
    [7, 1],
    [2 ** 32 - 1, 16],
    [2 ** 32, 17],
    [3 * 2 ** 32 + 5, 200],
    [2 ** 43 + 9, 2 ** 24 - 16],
    [2 ** 44 - 1, 2 ** 24],
    [12, 2 ** 31],
  ] as const
  places.forEach(([offset, length], i) => {
    const hash = 2 ** 32 - 1 - i
    index.set(
      index.slotOf(hash, () => false),
      hash,
      offset,
      length,
    )
  })
  const found = places.map((_, i) => {
    const slot = index.slotOf(2 ** 32 - 1 - i, () => true)
    return [index.offsetAt(slot), index.lengthAt(slot)]
  })
  expect(found).toEqual(
    places.map(([offset, length]) => [offset, Math.min(16 * Math.ceil(length / 16), 2 ** 24 - 16)]),
  )
})

test('returns a record that is longer than its size in the index', () => {
  const [folder, text] = [fresh(), 'x'.repeat(17 << 20)]
  const log = StateLog.open(folder)
  log.write([value('a', text), next('b', text), next('b', 's2')], at(1))
  expect(log.get(0, 'a')?.text === text).toBe(true)
  log.write([value('a', '1'), value('a', text), next('b', text)], at(2))
  log.close()
  const again = StateLog.open(folder)
  expect(again.get(0, 'a')?.text === text).toBe(true)
  const chain = again.chain(again.get(4, 'b') as StateRecord)
  expect(chain.map((one) => (one === text ? 'text' : one))).toEqual(['text', 's2', 'text'])
})
