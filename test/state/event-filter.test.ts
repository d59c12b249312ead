/** Bloom filters of event ids: every id that was added is reported, and hardly any other. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { hashes64 } from '../../pipeline/base/hash.ts'
import { EventFilter } from '../../pipeline/state/event-filter.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const at = (batch: number) => ({ batch, recordedAt: batch, erasures: 0, isComplete: true })
const ids = (from: number, count: number) =>
  hashes64(Array.from({ length: count }, (_, i) => `event ${from + i}`))

test('reports all ids and no others, when it has grown and after reading', () => {
  const filter = new EventFilter()
  filter.add(ids(0, 60_000))
  filter.write(dir, at(1))
  // These fill the first filter and begin another.
  filter.add(ids(60_000, 40_000))
  filter.write(dir, at(2))
  const read = EventFilter.read(dir)
  expect(read?.position).toEqual(at(2))
  for (const one of [filter, read?.filter as EventFilter]) {
    expect(one.candidates(ids(0, 100_000)).length).toBe(100_000)
    expect(one.candidates(ids(1_000_000, 100_000)).length).toBeLessThan(3)
  }
})

test.each(['ids-0', 'ids-1'])('a damaged file %s is not read', (name) => {
  const filter = new EventFilter()
  filter.add(ids(0, 70_000))
  filter.write(dir, at(1))
  const path = join(dir, name)
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(1))
  expect(EventFilter.read(dir)).toBeNull()
  bytes[9] = (bytes[9] as number) ^ 8
  writeFileSync(path, bytes)
  expect(EventFilter.read(dir)).toBeNull()
})
