/** Numbers of hashes. */

import { expect, test } from 'vitest'
import { hashWords } from '../../pipeline/base/hash.ts'
import { HashNumbers } from '../../pipeline/base/hash-numbers.ts'

test('hashes keep their numbers while the table grows, and others have none', () => {
  const numbers = new HashNumbers()
  const hashes = Array.from({ length: 20_000 }, (_, i) => hashWords(`name-${i}`))
  for (const [i, hash] of hashes.entries()) {
    expect(numbers.find(...hash)).toBe(-1)
    expect(numbers.add(...hash)).toBe(i)
  }
  for (const [i, hash] of hashes.entries()) {
    expect([numbers.add(...hash), numbers.find(...hash)]).toEqual([i, i])
  }
  expect(numbers.count).toBe(20_000)
})
