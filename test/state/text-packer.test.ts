/** Packed texts of state records are unpacked to the same texts. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sliceOf } from '../../pipeline/state/slice.ts'
import { packedMax, TextPacker, unpack } from '../../pipeline/state/text-packer.ts'

/** Packs a text with a packer. Returns the packed bytes, which may be followed by others. */
function packed(packer: TextPacker, key: string, text: string): Uint8Array {
  const slice = sliceOf(text)
  const target = new Uint8Array(packedMax(slice.to) + 1).fill(7)
  const end = packer.pack(sliceOf(key), slice, target, 0)
  expect(end).toBeLessThanOrEqual(packedMax(slice.to))
  return target.subarray(0, end)
}

function unpackedOf(key: string, bytes: Uint8Array): string {
  return unpack(sliceOf(key), { bytes, from: 0, to: bytes.length })
}

const part = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), maxLength: 80 }),
  fc.string({ unit: fc.constantFrom(...'",[]{}:0159afnul') }),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\u0000', '\u001f', '\u007f', 'ü', '日', '🛒') }),
  fc.json(),
  fc.uuid(),
  fc.constantFrom('user_id:u-1', '"user_id:u-1"', 'a'.repeat(300), 'ü'.repeat(300)),
)
const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''))

test('unpacks every text, whatever was packed before it', () => {
  const packers = [new TextPacker(), new TextPacker(1_000)]
  fc.assert(
    fc.property(text, text, (key, value) => {
      const [a, b] = [key.toWellFormed(), value.toWellFormed()]
      for (const packer of packers) expect(unpackedOf(a, packed(packer, a, b))).toBe(b)
    }),
    { numRuns: 600 },
  )
})

test('unpacks texts that are longer than a distance back', () => {
  const packer = new TextPacker()
  const start = '"d41e291c-453a642ae1023184","anonymous_id:anon"'
  for (const between of [0xff00, 0xffff, 0x10000, 0x20000]) {
    const long = start + 'x'.repeat(between - start.length) + start + start
    expect(unpackedOf('k', packed(packer, 'k', long)) === long).toBe(true)
  }
})

test('packs the image of a stream to two thirds, with its key', () => {
  const key = 'anonymous_id:anon-544acd018dba189c'
  const image =
    '1 [[1772762701836888,0,"d41e291c-453a642ae1023184"],["d9bba7d4-3db61c674c586bea",' +
    '1772762391589442,0,1772762701836888,4,"Page Viewed","Product Viewed","android","gap",' +
    '"user_id:u-2274",0,["user_id:u-2274"],["search"]],"user_id:u-2274",' +
    '[["user_id:u-2274","user_id:u-2274"]],"user_id:u-2274",1,"neighbours"]'
  const bytes = packed(new TextPacker(), key, image)
  expect(bytes.length / image.length).toBeLessThan(2 / 3)
  expect(unpackedOf(key, bytes)).toBe(image)
})
