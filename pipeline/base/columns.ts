/** Column shapes that decoding, the stages and Arrow share. */

/** Text of row i: UTF-8 bytes from `offsets[i]` to `offsets[i + 1]`. */
export type TextColumn = { bytes: Uint8Array; offsets: Int32Array }

/** Value of row i: `values[codes[i]]`; code -1 means absent. */
export type DictionaryColumn = { values: string[]; codes: Int32Array }
