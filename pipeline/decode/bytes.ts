/** Bytes with a view that reads and writes four of them at a time, wherever they begin. */

export type Bytes = { array: Buffer; view: DataView }

/** Bytes from one up to another. */
export type Slice = { bytes: Bytes; from: number; to: number }

export function bytesOf(array: Buffer): Bytes {
  const { buffer, byteOffset, length } = array
  return { array, view: new DataView(buffer, byteOffset, length) }
}

/** Returns bytes that are not a part of shared memory. */
export function newBytes(length: number): Bytes {
  return bytesOf(Buffer.from(new ArrayBuffer(length)))
}

export function sliceOf(text: string): Slice {
  const bytes = bytesOf(Buffer.from(text))
  return { bytes, from: 0, to: bytes.array.length }
}

/** Makes a slice equal to another; returns true. */
export function setSlice(slice: Slice, to: Slice): true {
  slice.bytes = to.bytes
  slice.from = to.from
  slice.to = to.to
  return true
}

/** Copies bytes from one up to another; returns the position after their copy. For short runs this
 * is faster than a call of `set` or `copy`. */
export function copyBytes(
  source: DataView,
  from: number,
  to: number,
  target: DataView,
  at: number,
): number {
  let next = from
  let end = at
  for (; next + 4 <= to; next += 4) {
    target.setInt32(end, source.getInt32(next, true), true)
    end += 4
  }
  for (; next < to; next++) target.setUint8(end++, source.getUint8(next))
  return end
}
