/**
 * Redaction of hashed namespaces: replaces plain values in input lines before they are decoded.
 * Everything after it works on redacted bytes: tables, dead letters, details and the inbox.
 *
 * A redacted line ends with a member that has the number of values replaced and the fingerprint of
 * the key: `"redacted":{"values":2,"key":"…"}`. Decoded again it stays unchanged, and its hashes
 * are not hashed again. A line that cannot be parsed is masked (see `mask-line.ts`) and ends with
 * `[redacted N DIGEST TAG]`: a keyed digest of the original, so that different bytes are different
 * dead letters, and a tag that marks it as masked. Neither can be forged without the key.
 *
 * Everything is linear in the bytes. Line breaks keep their positions.
 */

import type { Identity } from '../../definition/settings.ts'
import { fingerprintOf, hashOf, requiredKey } from '../hash-key.ts'
import { maskLine } from './mask-line.ts'
import { PlainValues } from './plain-values.ts'
import { isPacked, unpack, type Messages, type Unpacked } from '../unpack-messages.ts'

const NEW_LINE = 0x0a
const SPACE = 0x20
const CLOSE_BRACE = 0x7d
const GZIP = Uint8Array.of(0x1f, 0x8b)
/** Number of bytes at the end of gzip that give the unpacked size. */
const GZIP_SIZE_BYTES = 4
const DIGEST_DIGITS = 32
/** End of a masked line; the number of words has at most ten digits. */
const SEAL = / \[redacted (\d{1,10}) ([0-9a-f]{32}) ([0-9a-f]{16})\]$/
/** End of a redacted line. */
const MARK = /,"redacted":\{"values":\d{1,10},"key":"([0-9a-f]{32})"\}\}$/
const SEAL_BYTES_MAX = 80

/** Longest line, and the number of bytes that are kept of longer ones. */
export type LineBounds = { lineBytesMax: number; keptOfTooLarge: number }

export class Redactor {
  readonly #key: string
  readonly #bounds: LineBounds
  readonly #values: PlainValues
  readonly #fingerprint: string
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true })

  private constructor(identity: Identity, key: string, bounds: LineBounds) {
    this.#key = key
    this.#bounds = bounds
    this.#values = new PlainValues(identity, key)
    this.#fingerprint = fingerprintOf(key)
  }

  /** Returns null if no namespace is hashed. Throws a `UserError` if the key is missing. */
  static of(identity: Identity, hashKey: string | undefined, bounds: LineBounds): Redactor | null {
    const key = requiredKey(identity, hashKey)
    return key === null ? null : new Redactor(identity, key, bounds)
  }

  /** Redacts whole lines. The number and order of lines stay the same. */
  lines(chunk: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = []
    let done = 0
    for (let from = 0; from < chunk.length;) {
      const lineBreak = chunk.indexOf(NEW_LINE, from)
      const to = lineBreak < 0 ? chunk.length : lineBreak
      const line = chunk.subarray(from, to)
      const redacted = this.#line(line)
      if (redacted !== line) {
        parts.push(chunk.subarray(done, from), redacted)
        done = to
      }
      from = to + 1
    }
    // Copies the chunk, because it may be transferred to another thread.
    return done === 0 ? chunk : joined([...parts, chunk.subarray(done)])
  }

  /** Redacts unpacked messages. The bytes of a refused message are masked as a whole. */
  unpacked({ bytes, ends, refused }: Unpacked): Unpacked {
    const parts = ends.map((end, message) => {
      const part = bytes.subarray(ends[message - 1] ?? 0, end)
      return refused.has(message) ? this.#refused(part) : this.lines(part)
    })
    let size = 0
    return { bytes: joined(parts), ends: parts.map(({ length }) => (size += length)), refused }
  }

  /** Redacts a message as delivered, including attributes. Gzip is returned unpacked. */
  landing<T extends { data: Uint8Array; attributes: string }>(message: T): T {
    const attributes = Buffer.from(this.#line(Buffer.from(message.attributes))).toString()
    return { ...message, data: this.#message(message.data), attributes }
  }

  #message(data: Uint8Array): Uint8Array {
    if (data.length === 0) return data
    const messages: Messages = {
      ends: Int32Array.of(data.length),
      publishedAt: Float64Array.of(0),
    }
    const { bytes } = this.unpacked(unpack(data, messages))
    return bytes.subarray(0, bytes.length - 1)
  }

  #line(line: Uint8Array): Uint8Array {
    const { lineBytesMax, keptOfTooLarge } = this.#bounds
    if (line.length > lineBytesMax) {
      // It keeps its length, so that it is refused for the same reason.
      const padded = new Uint8Array(line.length).fill(SPACE)
      padded.set(this.#masked(line.subarray(0, keptOfTooLarge), line, true))
      return padded
    }
    const text = this.#textOf(line)
    if (text === null) return this.#masked(line, line, false)
    if (text.trim() === '') return line
    if (!isJsonObject(text)) return this.#masked(line, line, true)
    const end = endOf(line)
    const tail = Buffer.from(line.subarray(Math.max(0, end - 2 * SEAL_BYTES_MAX), end))
    const isRedacted = MARK.exec(tail.toString('latin1'))?.[1] === this.#fingerprint
    const { bytes, count } = this.#values.replace(line, isRedacted)
    return count === 0 || isRedacted ? bytes : this.#marked(bytes, count)
  }

  #textOf(line: Uint8Array): string | null {
    try {
      return this.#utf8.decode(line)
    } catch {
      return null
    }
  }

  /** Appends the mark of a redacted line. */
  #marked(line: Uint8Array, count: number): Uint8Array {
    const brace = line.lastIndexOf(CLOSE_BRACE)
    const mark = `,"redacted":{"values":${count},"key":"${this.#fingerprint}"}`
    return joined([line.subarray(0, brace), Buffer.from(mark), line.subarray(brace)])
  }

  /** Returns the masked text of `kept`, which is the beginning of `whole`. */
  #masked(kept: Uint8Array, whole: Uint8Array, isUtf8: boolean): Uint8Array {
    if (this.#isSealed(whole)) return whole
    const { bytes, count } = maskLine(kept, (word) => this.#values.isMember(word), isUtf8)
    const shown = bytes.subarray(0, this.#bounds.keptOfTooLarge - SEAL_BYTES_MAX)
    const digest = this.#digest(whole).slice(0, DIGEST_DIGITS)
    return joined([shown, Buffer.from(this.#seal(shown, String(count), digest))])
  }

  #seal(masked: Uint8Array, count: string, digest: string): string {
    const tag = this.#digest(masked, `${count} ${digest}`).slice(0, 16)
    return ` [redacted ${count} ${digest} ${tag}]`
  }

  #digest(bytes: Uint8Array, more = ''): string {
    return hashOf(this.#key, joined([Buffer.from(`redacted ${more}\n`), bytes]))
  }

  /** Returns whether a line was masked before. */
  #isSealed(line: Uint8Array): boolean {
    const end = endOf(line)
    const tail = Buffer.from(line.subarray(Math.max(0, end - SEAL_BYTES_MAX), end))
    const [seal, count = '', digest = ''] = SEAL.exec(tail.toString('latin1')) ?? []
    return (
      seal !== undefined && this.#seal(line.subarray(0, end - seal.length), count, digest) === seal
    )
  }

  /** Masks a message that could not be unpacked, including its line break. */
  #refused(part: Uint8Array): Uint8Array {
    const data = part.subarray(0, part.length - 1)
    if (data.length === 0) return part
    if (!isPacked(data)) {
      const kept = data.subarray(0, this.#bounds.keptOfTooLarge)
      return joined([this.#masked(kept, data, this.#textOf(data) !== null), part.subarray(-1)])
    }
    // It remains gzip of that size which cannot be unpacked, so it is refused for the same reason.
    const text = data.subarray(GZIP.length, data.length - GZIP_SIZE_BYTES)
    if (this.#isSealed(text)) return part
    const seal = this.#masked(new Uint8Array(0), data, true)
    return joined([GZIP, seal, part.subarray(-1 - GZIP_SIZE_BYTES)])
  }
}

/** Returns a function that detects whether a stored line may contain plain values: it names one, or
 * is neither JSON nor masked. Needs no key. */
export function plainValueCheck(identity: Identity): (line: Uint8Array) => boolean {
  const values = new PlainValues(identity, null)
  return (line) => {
    const text = Buffer.from(line).toString()
    if (text.trim() === '') return false
    if (isJsonObject(text)) return values.has(line)
    return !SEAL.test(Buffer.from(line).toString('latin1').trimEnd())
  }
}

function isJsonObject(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  } catch {
    return false
  }
}

/** Returns the end of a line without trailing blanks. */
function endOf(line: Uint8Array): number {
  let end = line.length
  while (end > 0 && (line[end - 1] as number) <= SPACE) end -= 1
  return end
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, { length }) => sum + length, 0)
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
