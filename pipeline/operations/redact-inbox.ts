/**
 * Removes erased persons from landed messages. Cuts exactly the lines that would be dropped if they
 * landed again. Other lines stay as the sender wrote them.
 */

import { gzipSync } from 'node:zlib'
import type { ChunkDecoder } from '../decode/decode.ts'
import type { ErasedPersons } from '../microbatch/suppression-list.ts'
import { cutToSize, isPacked, messagesOf, unpack } from '../decode/unpack-messages.ts'
import type { LandedMessage, Warehouse } from '../warehouse/warehouse.ts'

const NEW_LINE = 0x0a
const SPACE = 0x20
const LINE_END = Uint8Array.of(NEW_LINE)

/** `cut`: messages that lose something, as stored. `remains`: what is left of those not removed
 * whole. */
export type CutMessages = { cut: LandedMessage[]; remains: LandedMessage[] }

/** Reads every landed message. `at` is the current time, microseconds. */
export async function cutMessages(
  warehouse: Warehouse,
  decoder: ChunkDecoder,
  erased: ErasedPersons,
  at: number,
): Promise<CutMessages> {
  const found: CutMessages = { cut: [], remains: [] }
  const stored = warehouse.stream(
    'select subscription_name, message_id, publish_time, data, attributes from landed_messages',
  )
  for await (const rows of stored) {
    for (let from = 0; from < rows.length;) {
      const chunk = cutToSize(rows.slice(from) as LandedMessage[])
      from += chunk.length
      cutChunk(chunk, decoder, erased, at, found)
    }
  }
  return found
}

function cutChunk(
  messages: readonly LandedMessage[],
  decoder: ChunkDecoder,
  erased: ErasedPersons,
  at: number,
  into: CutMessages,
): void {
  const framed = messagesOf(
    messages.map(({ data }) => data),
    messages.map(({ publish_time }) => publish_time),
  )
  const { bytes, ends, refused } = unpack(framed.bytes, framed.messages)
  const isErased = erasedLines(bytes, decoder, erased, at)
  messages.forEach((message, n) => {
    const isOneLetter = refused.has(n)
    const lines = isOneLetter
      ? [[0, message.data.length] as [number, number]]
      : linesIn(bytes, ends[n - 1] ?? 0, ends[n] as number)
    const kept = isOneLetter
      ? lines.filter(() => !erased.isIn(message.data))
      : lines.filter(([from]) => !isErased.has(from))
    const isWhole = kept.length === lines.length
    const isNamed = erased.isIn(Buffer.from(message.attributes))
    if (isWhole && !isNamed) return
    into.cut.push(message)
    if (kept.length === 0) return
    into.remains.push({
      ...message,
      data: isWhole ? message.data : dataOf(bytes, kept, isPacked(message.data)),
      attributes: isNamed ? '{}' : message.attributes,
    })
  })
}

/** Returns the positions at which lines of erased persons begin. */
function erasedLines(
  bytes: Uint8Array,
  decoder: ChunkDecoder,
  erased: ErasedPersons,
  at: number,
): Set<number> {
  const batch = decoder.decode(bytes, at)
  const lineAt = storedLines(bytes, batch.raw)
  const isErased = erased.rowsOf(batch)
  const accepted = [...batch.lineFrom].filter((_, row) => isErased?.[row] === 1)
  const refused = batch.refusals.filter(({ from, to }) => {
    const stored = lineAt(from)
    const end = bytes.indexOf(NEW_LINE, stored)
    const line = bytes.subarray(stored, end < 0 ? bytes.length : end)
    return erased.isIn(line) || erased.isIn(batch.raw.subarray(from, to))
  })
  return new Set([...accepted, ...refused.map(({ from }) => from)].map(lineAt))
}

/** Maps the start of a line in the decoded bytes to its start in the stored ones. The two differ
 * where the decoder redacts plain values; line breaks are the same. */
function storedLines(stored: Uint8Array, decoded: Uint8Array): (from: number) => number {
  if (stored === decoded) return (from) => from
  const starts = lineStarts(stored)
  const startOf = new Map(lineStarts(decoded).map((from, line) => [from, starts[line] as number]))
  return (from) => startOf.get(from) as number
}

function lineStarts(bytes: Uint8Array): number[] {
  const starts = [0]
  for (let at = bytes.indexOf(NEW_LINE); at >= 0; at = bytes.indexOf(NEW_LINE, at + 1)) {
    starts.push(at + 1)
  }
  return starts
}

/** Returns start and end of each line that is not blank, without its line break. */
function linesIn(bytes: Uint8Array, first: number, end: number): [from: number, to: number][] {
  const lines: [number, number][] = []
  for (let from = first; from < end;) {
    const lineBreak = bytes.indexOf(NEW_LINE, from)
    const to = lineBreak < 0 ? end : lineBreak
    if (bytes.subarray(from, to).some((byte) => byte > SPACE)) lines.push([from, to])
    from = to + 1
  }
  return lines
}

function dataOf(bytes: Uint8Array, lines: [number, number][], isGzip: boolean): Uint8Array {
  const parts = lines.flatMap(([from, to]) => [bytes.subarray(from, to), LINE_END])
  const data = Buffer.concat(parts)
  return new Uint8Array(isGzip ? gzipSync(data) : data)
}
