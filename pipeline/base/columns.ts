/** Column shapes that decoding, the stages and Arrow share. */

/** Text of row i: the bytes from `offsets[i]` to `offsets[i + 1]`, UTF-8. */
export type TextColumn = { bytes: Uint8Array; offsets: Int32Array }

/** Value of row i: `values[codes[i]]`; -1 is absent. */
export type DictionaryColumn = { values: string[]; codes: Int32Array }
