/**
 * Decodes bytes into a batch: each line becomes an accepted event, or a refusal.
 *
 * Common lines are scanned (`line-scanner.ts`), all others are parsed (`line-decoder.ts`). Both give
 * the same rows.
 */

import { isUtf8 } from 'node:buffer'

import type { Identity } from '../definition/settings.ts'
import type { EventBatch } from './event-batch.ts'
import { BatchBuilder } from './event-batch-builder.ts'
import { IdentifierReader } from './identifier-values.ts'
import { KEPT_OF_TOO_LARGE, LINE_BYTES_MAX } from './limits.ts'
import { LineDecoder, type DecodeOptions } from './line-decoder.ts'
import { LineScanner } from './scan/line-scanner.ts'
import { Redactor } from './redact/redact.ts'
import { unpack, type Messages, type Unpacked } from './unpack-messages.ts'

const NEW_LINE = 0x0a

/** Returns the redactor with this decoder's limits, or null if no namespace is hashed. */
export function redactorOf(identity: Identity, hashKey: string | undefined): Redactor | null {
  const bounds = { lineBytesMax: LINE_BYTES_MAX, keptOfTooLarge: KEPT_OF_TOO_LARGE }
  return Redactor.of(identity, hashKey, bounds)
}

export class ChunkDecoder {
  readonly #namespaces: string[]
  readonly #operandCount: number
  readonly #isIgnored: (value: string) => boolean
  readonly #scanner: LineScanner | null
  readonly #lineDecoder: LineDecoder
  #builder: BatchBuilder | null = null
  /** Null if no namespace is hashed. */
  readonly #redactor: Redactor | null

  constructor(options: DecodeOptions) {
    const { identity, operandPaths, hashKey } = options
    const identifiers = new IdentifierReader({ ...identity, hashed: [] }, undefined)
    this.#namespaces = [...identity.person, ...identity.device]
    this.#operandCount = operandPaths.length
    this.#isIgnored = (value) => identifiers.isPlaceholder(value)
    this.#scanner = LineScanner.of(options)
    this.#lineDecoder = new LineDecoder(options)
    this.#redactor = redactorOf(identity, hashKey)
  }

  /** Decodes a chunk of whole lines that landed at `landedAt` (microseconds). */
  decode(chunk: Uint8Array, landedAt: number): EventBatch {
    const lines = this.#redactor?.lines(chunk) ?? chunk
    return this.#batch(lines, (builder) => this.#lines(lines, 0, lines.length, landedAt, builder))
  }

  /** Decodes a chunk of messages. Each landed when it was published. */
  decodeMessages(chunk: Uint8Array, messages: Messages): EventBatch {
    const { bytes, ends, refused } = this.unpack(chunk, messages)
    return this.#batch(bytes, (builder) =>
      ends.forEach((to, message) => {
        const from = ends[message - 1] ?? 0
        const refusal = refused.get(message)
        if (refusal !== undefined) builder.refuse(from, to - 1, refusal.reason, refusal.detail)
        else this.#lines(bytes, from, to, messages.publishedAt[message] as number, builder)
      }),
    )
  }

  /** Returns the messages of a chunk as redacted lines, in order. */
  unpack(chunk: Uint8Array, messages: Messages): Unpacked {
    const unpacked = unpack(chunk, messages)
    return this.#redactor?.unpacked(unpacked) ?? unpacked
  }

  #batch(raw: Uint8Array, fill: (builder: BatchBuilder) => void): EventBatch {
    const builder =
      this.#builder ?? new BatchBuilder(this.#namespaces, this.#isIgnored, this.#operandCount)
    // After an error the next batch begins with a new one.
    this.#builder = null
    fill(builder)
    const batch = builder.take(raw)
    this.#builder = builder
    return batch
  }

  /** Decodes the lines in a range of bytes. Only the last line of the chunk may lack its line
   * break. */
  #lines(chunk: Uint8Array, first: number, end: number, at: number, into: BatchBuilder): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    const isAllUtf8 = isUtf8(bytes.subarray(first, end))
    for (let from = first; from < end;) {
      let to = -1
      if (this.#scanner !== null) {
        const scanEnd = isAllUtf8 ? end : utf8LineEnd(bytes, from, end)
        if (scanEnd >= 0) to = this.#scanner.add(bytes, from, scanEnd, at, into)
      }
      if (to < 0) {
        to = lineEnd(bytes, from, end)
        this.#lineDecoder.add(bytes, from, to, at, into)
      }
      from = to + 1
    }
  }
}

function lineEnd(bytes: Buffer, from: number, end: number): number {
  const lineBreak = bytes.indexOf(NEW_LINE, from)
  return lineBreak < 0 ? end : lineBreak
}

/** Returns the end of a line, or -1 if it is not UTF-8. */
function utf8LineEnd(bytes: Buffer, from: number, end: number): number {
  const to = lineEnd(bytes, from, end)
  return isUtf8(bytes.subarray(from, to)) ? to : -1
}
