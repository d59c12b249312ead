/** Index of events by the hashes of their ids, and of the rows of a batch by id. */

import { expect, test } from 'vitest'
import { EventIndex, RowsById } from '../../pipeline/base/event-index.ts'
import { hashes64 } from '../../pipeline/base/hash.ts'

const idsUpTo = (count: number) => Array.from({ length: count }, (_, row) => `event-${row}`)

test('finds what was added, before and after the table has grown', () => {
  const hashes = hashes64(idsUpTo(20_000))
  const fingerprints = hashes64(idsUpTo(20_000).map((id) => `content of ${id}`))
  const even = idsUpTo(20_000).flatMap((_, row) => (row % 2 === 0 ? [row] : []))
  const index = new EventIndex()
  index.add(hashes, fingerprints, even)
  const found = index.fingerprints(hashes)
  expect(found.size).toBe(10_000)
  const other = fingerprints.map((one) => one ^ (1n << 40n))
  const [matches, others] = [index.matches(hashes, fingerprints), index.matches(hashes, other)]
  for (const row of even) {
    expect(found.get(hashes[row] as bigint)).toBe(fingerprints[row])
    expect([matches[row], others[row]]).toEqual(['same', 'other'])
    expect(matches[row + 1]).toBe('none')
  }
})

test('rows are found by id, also where many ids have one hash', () => {
  const ids = [...idsUpTo(5_000), ...idsUpTo(5_000)]
  for (const hashes of [hashes64(ids), new BigUint64Array(ids.length).fill(7n)]) {
    const rows = new RowsById(ids, hashes)
    expect(ids.map((_, row) => rows.add(row))).toEqual(ids.map((_, row) => row % 5_000))
  }
})
