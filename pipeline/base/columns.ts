/** Column shapes that decoding, the stages and Arrow share. */

import { assert } from './errors.ts'

/** Text of row i: UTF-8 bytes from `offsets[i]` to `offsets[i + 1]`. */
export type TextColumn = { bytes: Uint8Array; offsets: Int32Array }

const UTF8 = new TextDecoder()

/** Returns the text of a row. */
export function textAt({ bytes, offsets }: TextColumn, row: number): string {
  return UTF8.decode(bytes.subarray(offsets[row], offsets[row + 1]))
}

/** Encodes texts with one write; null becomes an empty text. */
export function textColumnOf(texts: readonly (string | null)[]): TextColumn {
  const joined = texts.join('')
  const bytes = Buffer.from(joined)
  const isAscii = bytes.length === joined.length
  const offsets = new Int32Array(texts.length + 1)
  let end = 0
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row] as string | null
    if (text !== null) end += isAscii ? text.length : Buffer.byteLength(text)
    offsets[row + 1] = end
  }
  assert(end === bytes.length, 'texts are well-formed UTF-16')
  return { bytes, offsets }
}

/** Value of row i: `values[codes[i]]`; code -1 means absent. */
export type DictionaryColumn = { values: string[]; codes: Int32Array }
