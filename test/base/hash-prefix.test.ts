/** Hashes of texts in parts. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HashPrefix } from '../../pipeline/base/hash-prefix.ts'
import { hash64, highHalf, lowHalf, uuidOf, uuidText } from '../../pipeline/base/hash.ts'
import { Hashes, Hashes64 } from '../../pipeline/base/hashes.ts'

/** Includes surrogate pairs and lone halves of pairs. */
const part = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.array(fc.constantFrom('a', 'é', '日', '\u{1f600}', '\ud83d', '\ude00'), { maxLength: 20 }),
)
const text = part.map((one) => (typeof one === 'string' ? one : one.join('')))

test('the hash of a prefix and an end is that of the whole text', () => {
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 3 }), text, (first, more, end) => {
      let prefix = HashPrefix.of(first)
      for (const next of more) prefix = prefix.plus(next)
      const whole = [first, ...more, end].join('')
      const hashes = new Hashes()
      hashes.pushEnd(prefix, end)
      expect(uuidText(hashes.bytes(), 0)).toBe(uuidOf(whole))
      const halves = new Hashes64()
      prefix.end(end)
      halves.pushHalves(lowHalf(), highHalf())
      expect(halves.values()).toEqual(BigUint64Array.of(hash64(whole)))
    }),
    { numRuns: 2_000 },
  )
})

test('a prefix of every length continues with an end of every length', () => {
  const whole = 'äb\u{1f600}d0123456789-ABCDEFGHIJKLMNOP日rs'
  for (let from = 0; from <= whole.length; from++) {
    for (let to = from; to <= whole.length; to++) {
      const hashes = new Hashes()
      hashes.pushEnd(HashPrefix.of(whole.slice(0, from)), whole.slice(from, to))
      expect(uuidText(hashes.bytes(), 0)).toBe(uuidOf(whole.slice(0, to)))
    }
  }
})

test('columns of hashes grow, copy, compare and have nulls', () => {
  const texts = Array.from({ length: 300 }, (_, i) => `key ${i}`)
  const [hashes, copy, halves] = [new Hashes(), new Hashes(), new Hashes64()]
  for (const one of texts) {
    hashes.push(one)
    halves.push(one)
  }
  for (let row = texts.length - 1; row >= 0; row--) copy.pushFrom(hashes, row)
  copy.pushNull()
  expect(texts.map((_, row) => uuidText(hashes.bytes(), row))).toEqual(texts.map(uuidOf))
  expect([...halves.values()]).toEqual(texts.map(hash64))
  expect(hashes.isSame(7, copy, 292)).toBe(true)
  expect(hashes.isSame(7, copy, 291)).toBe(false)
  expect([copy.isNull(299), copy.isNull(300), copy.length]).toEqual([false, true, 301])
})
