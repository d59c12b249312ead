/** The scanner accepts what `JSON.parse` accepts, and ends where the value ends. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  endOfPlain,
  endOfValue,
  isJson,
  SPACE_IN_LINE,
} from '../../pipeline/decode/scan/json-scan.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Valid and invalid pieces of JSON. */
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '"a"',
  '""',
  '"\\n"',
  '"\\u00e9"',
  '"\\u00g0"',
  '"\\x"',
  '"\t"',
  '"é\u2028"',
  '\\',
  '0',
  '-0',
  '01',
  '1.5',
  '.5',
  '1.',
  '1e5',
  '1E+5',
  '1e',
  '-',
  '+1',
  'true',
  'false',
  'null',
  'nul',
  'trueish',
  ' ',
  '\n',
  '\r\n',
  '\t',
  '\u00a0',
  '\ufeff',
  '//',
  '"k":',
  '"k" : ',
  '{"k":1}',
  '[1,2]',
  '{}',
  '[]',
  '\u0000',
  '"\u007f"',
]
const piece = fc.constantFrom(...PIECES)

test('accepts random pieces of JSON exactly when JSON.parse does', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
      const text = pieces.join('')
      expect(isJson(bytesOf(text))).toBe(parses(text))
    }),
    { numRuns: 5_000 },
  )
})

test('accepts JSON with one byte changed exactly when JSON.parse does', () => {
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom(...'{}[],:"\\0e-. x\n'),
      (json, seed, replacement) => {
        const at = seed % json.length
        const text = json.slice(0, at) + replacement + json.slice(at + 1)
        expect(isJson(bytesOf(json))).toBe(true)
        expect(isJson(bytesOf(text))).toBe(parses(text))
      },
    ),
    { numRuns: 2_000 },
  )
})

test('ends a value before the next token, and never beyond its line', () => {
  const end = (text: string) => endOfValue(bytesOf(text), 0, SPACE_IN_LINE, 500)
  expect(end('{"a": [1, {"b": "]"}]}, 7')).toBe(22)
  expect(end('12,')).toBe(2)
  expect(end('{"a":1,\n"b":2}')).toBe(-1)
  expect(end('{"a":')).toBe(-1)
})

test('rejects nesting beyond the limit', () => {
  const nested = (depth: number) => bytesOf('['.repeat(depth) + ']'.repeat(depth))
  expect(endOfValue(nested(500), 0, SPACE_IN_LINE, 500)).toBe(1_000)
  expect(endOfValue(nested(501), 0, SPACE_IN_LINE, 500)).toBe(-1)
  expect(isJson(nested(100_000))).toBe(true)
})

/** Position of the first byte that a text without escapes cannot have. */
function firstMark(bytes: Uint8Array): number {
  const at = bytes.findIndex((byte) => byte < 0x20 || byte === 0x22 || byte === 0x5c)
  return at < 0 ? bytes.length : at
}

test('a text ends at its first quote, backslash or control character, at any place of a word', () => {
  for (let byte = 0; byte < 256; byte++) {
    for (let length = 1; length <= 12; length++) {
      for (let place = 0; place < length; place++) {
        // Bytes beside the edges of what is searched, which a carry could confuse.
        for (const around of [0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xff]) {
          const bytes = new Uint8Array(length).fill(around)
          bytes[place] = byte
          if (endOfPlain(bytes, 0) !== firstMark(bytes)) {
            expect.fail(`byte ${byte} at ${place} of ${length} between bytes ${around}`)
          }
        }
      }
    }
  }
})

test('a text ends where random bytes have their first mark', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(8), (bytes, from) => {
      const start = Math.min(from, bytes.length)
      expect(endOfPlain(bytes, start)).toBe(start + firstMark(bytes.subarray(start)))
    }),
    { numRuns: 2_000 },
  )
})
