/** UTF-8 text as a part of some bytes. */

import type { TextColumn } from '../base/columns.ts'

export type Slice = { bytes: Uint8Array; from: number; to: number }

/** Shorter slices are copied byte by byte, which takes less than a call. */
const LOOP_BYTES = 64

export function sliceOf(text: string): Slice {
  const bytes = Buffer.from(text)
  return { bytes, from: 0, to: bytes.length }
}

/** Moves a slice to the text of a row. */
export function moveSlice(slice: Slice, { bytes, offsets }: TextColumn, row: number): void {
  slice.bytes = bytes
  slice.from = offsets[row] as number
  slice.to = offsets[row + 1] as number
}

/** Copies a slice into `target` at a position. */
export function copySlice({ bytes, from, to }: Slice, target: Uint8Array, at: number): void {
  if (to - from > LOOP_BYTES) {
    target.set(bytes.subarray(from, to), at)
    return
  }
  for (let i = from; i < to; i++) target[at + i - from] = bytes[i] as number
}
