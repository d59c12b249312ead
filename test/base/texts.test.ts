/** Texts of a batch as numbers. */

import { expect, test } from 'vitest'
import { NO_TEXT, Texts } from '../../pipeline/base/texts.ts'

test('equal texts have one code, unless each is added as the only one', () => {
  const texts = new Texts()
  const ada = texts.code('user:ada')
  const once = texts.add('e1')
  const again = texts.add('e1')
  expect(texts.code('user:ada')).toBe(ada)
  expect(again).not.toBe(once)
  expect([texts.isSame(once, again), texts.isSame(ada, once)]).toEqual([true, false])
  expect([texts.isSame(NO_TEXT, NO_TEXT), texts.isSame(NO_TEXT, ada)]).toEqual([true, false])
  expect([texts.at(ada), texts.at(again), texts.size]).toEqual(['user:ada', 'e1', 3])
})

test('the column has the bytes of used texts in the order of the codes', () => {
  const texts = new Texts()
  for (const text of ['a', '', 'žluť', 'unused', '日本']) texts.add(text)
  const { bytes, offsets } = texts.column(Uint8Array.of(1, 1, 1, 0, 1))
  const slices = [...offsets].slice(1).map((to, code) => {
    return Buffer.from(bytes.subarray(offsets[code], to)).toString()
  })
  expect(slices).toEqual(['a', '', 'žluť', '', '日本'])
})

test('a column of a text with half a surrogate pair is refused', () => {
  const texts = new Texts()
  texts.add('\ud83d')
  texts.add('\ude00')
  expect(() => texts.column(Uint8Array.of(1, 1))).toThrow('well-formed')
})
