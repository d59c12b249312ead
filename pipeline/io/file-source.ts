/**
 * Source of files and standard input. Cuts the input at line ends into chunks that are bounded in
 * lines and bytes. Acknowledging does nothing: events of a file that is read again are dropped as
 * duplicates.
 */

import { createReadStream } from 'node:fs'
import { access, constants, readdir, stat } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { addAbortSignal, type Readable } from 'node:stream'
import { basename, dirname } from 'node:path'
import { LINE_BYTES_MAX } from '../decode/limits.ts'
import { messageOf, UserError } from '../base/errors.ts'
import { didYouMean } from '../definition/check/near-name.ts'
import type { Chunk, Source } from './source.ts'

/** A chunk ends at this size even if it has few lines, so that memory is bounded. */
const CHUNK_BYTES_MAX = 80 * 1024 * 1024
const READ_BYTES = 1 << 20
const NEW_LINE = 0x0a

/** Lines per chunk. The chunks of a file grow from `linesMax` to `backlogLinesMax`.
 * Chunks of standard input do not grow, so that no line waits for a slow writer. */
export type FileBounds = { linesMax: number; backlogLinesMax?: number; signal?: AbortSignal }

/** Opens files (`.gz` is decompressed) or standard input (`-`) as a source. Checks all paths first
 * and throws a `UserError` for one that cannot be read. An aborted `signal` ends the input. */
export async function fileSource(paths: readonly string[], bounds: FileBounds): Promise<Source> {
  let total: number | null = 0
  for (const path of paths) {
    const size: number | null = await sizeOf(path)
    total = total === null || size === null ? null : total + size
  }
  return {
    origin: paths.join(', '),
    ...(total === null ? {} : { bytes: total }),
    [Symbol.asyncIterator]: () => chunksOf(paths, bounds, total),
  }
}

async function sizeOf(path: string): Promise<number | null> {
  if (path === '-') return null
  try {
    const found = await stat(path)
    if (found.isDirectory()) throw new Error('it is a directory: name the files in it')
    await access(path, constants.R_OK)
    return found.isFile() ? found.size : null
  } catch (thrown) {
    const isMissing = (thrown as NodeJS.ErrnoException).code === 'ENOENT'
    const why = isMissing ? await missingWords(path) : messageOf(thrown).split(',')[0]
    throw new UserError(`${path} cannot be read: ${why}`)
  }
}

/** Returns why a missing file cannot be read, with the name in its folder that it resembles. */
async function missingWords(path: string): Promise<string> {
  const names = await readdir(dirname(path)).catch(() => [])
  const fix = didYouMean(basename(path), names) || 'check the name'
  return `the file does not exist; ${fix.trim()}`
}

async function* chunksOf(
  paths: readonly string[],
  { linesMax, backlogLinesMax = linesMax, signal }: FileBounds,
  total: number | null,
): AsyncGenerator<Chunk> {
  let before = 0
  for (const path of paths) {
    const file = path === '-' ? null : createReadStream(path, { highWaterMark: READ_BYTES })
    const stream = file ?? process.stdin
    const plain = path.endsWith('.gz') ? stream.pipe(createGunzip()) : stream
    stream.on('error', (error: Error) => plain.destroy(error))
    if (signal !== undefined) addAbortSignal(signal, stream)
    try {
      const growTo = path === '-' ? linesMax : backlogLinesMax
      for await (const bytes of cutAtLines(plain, linesMax, growTo)) {
        yield {
          bytes,
          origin: path === '-' ? 'standard input' : path,
          progress: { done: before + (file?.bytesRead ?? 0), total },
          acknowledge: () => Promise.resolve(),
        }
      }
    } catch (thrown) {
      if (signal?.aborted) return
      throw new UserError(`${path} could not be read to its end: ${messageOf(thrown)}`)
    }
    before += file?.bytesRead ?? 0
  }
}

/** Yields whole lines, first at most `linesMax` at a time, then four times as many each time up to
 * `growTo`. Cuts a line that exceeds the decoder's limit to one byte over it: the decoder rejects
 * it as too large and memory stays bounded. */
export async function* cutAtLines(
  stream: Readable | AsyncIterable<Buffer>,
  linesMax: number,
  growTo = linesMax,
): AsyncGenerator<Uint8Array> {
  let limit = linesMax
  let parts: Buffer[] = []
  let size = 0
  let lines = 0
  /** Length of the unfinished last line, including bytes that were cut off. */
  let lineBytes = 0
  const keep = (part: Buffer) => {
    parts.push(part)
    size += part.length
  }
  const take = (): Uint8Array => {
    const chunk = new Uint8Array(size)
    let at = 0
    for (const part of parts) {
      chunk.set(part, at)
      at += part.length
    }
    parts = []
    size = 0
    lines = 0
    limit = Math.min(limit * 4, growTo)
    return chunk
  }
  for await (const data of stream) {
    const bytes = data as Buffer
    /** Bytes before this position are in `parts` or were cut off. */
    let kept = 0
    let from = 0
    while (from < bytes.length) {
      const lineBreak = bytes.indexOf(NEW_LINE, from)
      const to = lineBreak < 0 ? bytes.length : lineBreak
      const room = Math.max(0, LINE_BYTES_MAX + 1 - lineBytes)
      lineBytes += to - from
      if (to - from > room) {
        keep(bytes.subarray(kept, from + room))
        kept = to
      }
      from = to + 1
      if (lineBreak < 0) break
      lineBytes = 0
      lines += 1
      if (lines >= limit || size + from - kept >= CHUNK_BYTES_MAX) {
        keep(bytes.subarray(kept, from))
        kept = from
        yield take()
      }
    }
    keep(bytes.subarray(kept))
  }
  if (size > 0) yield take()
}
