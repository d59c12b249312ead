/**
 * Masks bytes that cannot be parsed, because values cannot be told from structure there. Keeps JSON
 * punctuation and member names; every other word, quoted or not, becomes `*`.
 */

const ASTERISK = 0x2a
/** Appended to a masked line that is not UTF-8, so that it is refused for the same reason. */
const NOT_UTF8 = 0xff
/** Bytes between words. */
const BETWEEN = new Uint8Array(256)
for (const byte of Buffer.from('\t\r\n {}[]()<>,:;"\'=|&?')) BETWEEN[byte] = 1
/** Longer words are not member names. */
const NAME_BYTES_MAX = 64
const LITERALS = new Set(['true', 'false', 'null'])

/** Masked bytes, and how many words were replaced. */
export type Masked = { bytes: Uint8Array; count: number }

/** Masks a line. `isMember` returns true for words to keep. */
export function maskLine(
  line: Uint8Array,
  isMember: (word: string) => boolean,
  isUtf8: boolean,
): Masked {
  const bytes = new Uint8Array(line.length + 1)
  let size = 0
  let count = 0
  for (let at = 0; at < line.length;) {
    if (BETWEEN[line[at] as number] === 1) {
      bytes[size++] = line[at++] as number
      continue
    }
    let end = at
    while (end < line.length && BETWEEN[line[end] as number] === 0) end += 1
    const word = end - at <= NAME_BYTES_MAX ? Buffer.from(line.subarray(at, end)).toString() : ''
    if (LITERALS.has(word) || isMember(word)) {
      bytes.set(line.subarray(at, end), size)
      size += end - at
    } else {
      bytes[size++] = ASTERISK
      count += 1
    }
    at = end
  }
  if (!isUtf8) bytes[size++] = NOT_UTF8
  return { bytes: bytes.subarray(0, size), count }
}
