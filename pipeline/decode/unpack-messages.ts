/**
 * Unpacks messages into whole lines. A message contains one event (on one or several lines), an
 * array of events, or NDJSON, optionally compressed with gzip. Events are stored as the sender
 * wrote them.
 *
 * A message that cannot be unpacked, or has more lines than its bytes can contain events, is
 * refused as a whole and stored unchanged. The size of a message is its unpacked size, here and in
 * all limits. No message is unpacked beyond the limit.
 */

import { gunzipSync } from 'node:zlib'
import { messageOf } from '../base/errors.ts'
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  isJson,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './scan/json-scan.ts'
import type { Rejection } from './wire-event.ts'

/** Messages in one array of bytes: the end of each, and its publish time in microseconds. */
export type Messages = { ends: Int32Array; publishedAt: Float64Array }

/** Lines; those of message i end at `ends[i]`. `refused` has the messages without lines. */
export type Unpacked = { bytes: Uint8Array; ends: number[]; refused: Map<number, Rejection> }

/** A chunk ends at this unpacked size even if it has few messages. */
export const CHUNK_BYTES_MAX = 32 * 1024 * 1024
/** Larger messages are refused. Compressed messages have at most 10 MB. */
export const UNPACKED_BYTES_MAX = 32 * 1024 * 1024

/**
 * Lines allowed per message: 16, and one more per 64 bytes, because no event is shorter. A refused
 * line takes some hundred bytes of memory, whatever its length.
 */
const LINES_FREE = 16
const LINE_BYTES_MIN = 64

const NEW_LINE = 0x0a
const SPACE = 0x20
const LINE_END = Uint8Array.of(NEW_LINE)
/** Start of a gzip member, and its minimum size in bytes. */
const MEMBER_START = Uint8Array.of(0x1f, 0x8b, 0x08)
const MEMBER_BYTES_MIN = 18

/**
 * Returns the unpacked size of a message, at most one more than the limit. A single gzip member
 * states its size; possible sequences of members are unpacked and counted.
 */
export function unpackedSize(data: Uint8Array): number {
  if (!isPacked(data)) return data.length
  const packed = bufferOf(data)
  if (packed.indexOf(MEMBER_START, MEMBER_START.length) < 0) {
    return Math.min(packed.readUInt32LE(data.length - 4), UNPACKED_BYTES_MAX + 1)
  }
  try {
    return gunzipSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX }).length
  } catch (thrown) {
    const { code } = thrown as { code?: unknown }
    return code === 'ERR_BUFFER_TOO_LARGE' ? UNPACKED_BYTES_MAX + 1 : data.length
  }
}

function bufferOf(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.length)
}

/** Joins messages into one array of bytes. `publishedAt` is in microseconds. */
export function messagesOf(
  data: readonly Uint8Array[],
  publishedAt: readonly number[],
): { bytes: Uint8Array; messages: Messages } {
  const ends = new Int32Array(data.length)
  let end = 0
  data.forEach(({ length }, message) => (ends[message] = end += length))
  const messages = { ends, publishedAt: Float64Array.from(publishedAt) }
  return { bytes: joined(data, end), messages }
}

/** Returns as many of the first messages as fit a chunk, at least one. */
export function cutToSize<Message extends { data: Uint8Array }>(messages: Message[]): Message[] {
  let bytes = 0
  const cut = messages.findIndex(({ data }, i) => {
    bytes += unpackedSize(data)
    return i > 0 && bytes > CHUNK_BYTES_MAX
  })
  return cut < 0 ? messages : messages.slice(0, cut)
}

/** Returns the messages of a chunk as lines, in order. */
export function unpack(chunk: Uint8Array, { ends }: Messages): Unpacked {
  const parts: Uint8Array[] = []
  const unpacked: number[] = []
  const refused = new Map<number, Rejection>()
  let size = 0
  ends.forEach((to, message) => {
    const data = chunk.subarray(ends[message - 1] ?? 0, to)
    const lines = linesOf(data)
    if (!(lines instanceof Uint8Array)) refused.set(message, lines)
    const part = lines instanceof Uint8Array ? lines : data
    parts.push(part, LINE_END)
    size += part.length + 1
    unpacked.push(size)
  })
  return { bytes: joined(parts, size), ends: unpacked, refused }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Returns whether a message starts like gzip. */
export function isPacked(data: Uint8Array): boolean {
  return data.length >= MEMBER_BYTES_MIN && data[0] === 0x1f && data[1] === 0x8b
}

function linesOf(data: Uint8Array): Uint8Array | Rejection {
  if (data.length === 0) return { reason: 'missing_field', detail: 'data: the message has none' }
  if (!isPacked(data)) return boundedLines(splitEvents(data))
  const size = unpackedSize(data)
  if (size > UNPACKED_BYTES_MAX) {
    const detail = `the message has more than ${UNPACKED_BYTES_MAX} bytes unpacked`
    return { reason: 'too_large', detail }
  }
  try {
    return boundedLines(splitEvents(gunzipSync(data, { maxOutputLength: Math.max(1, size) })))
  } catch (thrown) {
    return { reason: 'invalid_gzip', detail: `the message is not valid gzip: ${messageOf(thrown)}` }
  }
}

/** Checks the number of lines that are not blank. Stops counting at the limit. */
function boundedLines(data: Uint8Array): Uint8Array | Rejection {
  const linesMax = LINES_FREE + Math.floor(data.length / LINE_BYTES_MIN)
  let lines = 0
  let isBlank = true
  for (let at = 0; at < data.length; at++) {
    const byte = data[at] as number
    if (byte === NEW_LINE) isBlank = true
    else if (isBlank && byte > SPACE) {
      isBlank = false
      lines += 1
      if (lines > linesMax) break
    }
  }
  if (lines <= linesMax) return data
  const detail = `the message has more than ${linesMax} lines in ${data.length} bytes`
  return { reason: 'too_large', detail }
}

/** Splits an array into one event per line. Anything else is returned unchanged, except for an
 * object over several lines. */
function splitEvents(data: Uint8Array): Uint8Array {
  const start = data.findIndex((byte) => byte > SPACE)
  const lineEnd = data.indexOf(NEW_LINE, start)
  const isList = data[start] === OPEN_BRACKET
  const mayGoOn = data[start] === OPEN_BRACE && lineEnd >= 0
  if (!isList && !(mayGoOn && !isJson(data.subarray(start, lineEnd)))) return data
  if (!isJson(data)) return data
  return isList ? elementsOf(data, start) : onOneLine(data)
}

/** Replaces line breaks by spaces; valid JSON has them only between tokens. */
function onOneLine(data: Uint8Array): Uint8Array {
  return data.map((byte) => (byte === NEW_LINE ? SPACE : byte))
}

/** Writes the elements of the JSON array at `start`, one per line. */
function elementsOf(data: Uint8Array, start: number): Uint8Array {
  const lines = onOneLine(data)
  let depth = 0
  let isText = false
  for (let at = start; at < lines.length; at++) {
    const byte = lines[at] as number
    if (isText) {
      if (byte === BACKSLASH) at += 1
      else if (byte === QUOTE) isText = false
      continue
    }
    if (byte === QUOTE) isText = true
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) depth += 1
    else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth -= 1
    else if (depth === 1 && (byte === COMMA || byte <= SPACE)) lines[at] = NEW_LINE
    if (depth === 0) lines[at] = NEW_LINE
    if (depth === 0) break
  }
  return lines.subarray(start + 1)
}
