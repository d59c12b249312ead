/**
 * Source of files and standard input, as chunks of whole lines (`line-cutter.ts`). Acknowledging does
 * nothing: events of a file that is read again are dropped as duplicates.
 */

import { createReadStream } from 'node:fs'
import { access, constants, open, readdir, stat } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { addAbortSignal } from 'node:stream'
import { basename, dirname } from 'node:path'
import { messageOf, UserError } from '../base/errors.ts'
import { didYouMean } from '../definition/check/near-name.ts'
import { cutAtLines, LineCutter, READ_BYTES, Spares } from './line-cutter.ts'
import type { Chunk, Source } from './source.ts'

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
  bounds: FileBounds,
  total: number | null,
): AsyncGenerator<Chunk> {
  const spares = new Spares()
  try {
    yield* chunksIn(spares, paths, bounds, total)
  } finally {
    spares.close()
  }
}

async function* chunksIn(
  spares: Spares,
  paths: readonly string[],
  { linesMax, backlogLinesMax = linesMax, signal }: FileBounds,
  total: number | null,
): AsyncGenerator<Chunk> {
  let before = 0
  for (const path of paths) {
    const isInput = path === '-'
    const cutter = new LineCutter(linesMax, isInput ? linesMax : backlogLinesMax, spares)
    const reading: Reading = { done: 0 }
    const isStreamed = isInput || path.endsWith('.gz') || (await sizeOf(path)) === null
    const read = isStreamed ? streamed : readDirectly
    try {
      for await (const bytes of read(path, cutter, reading, signal)) {
        yield {
          bytes,
          origin: isInput ? 'standard input' : path,
          progress: { done: before + reading.done, total },
          acknowledge: () => Promise.resolve(),
          reuse: (unused) => spares.give(unused),
        }
      }
    } catch (thrown) {
      if (signal?.aborted) return
      throw new UserError(`${path} could not be read to its end: ${messageOf(thrown)}`)
    }
    if (signal?.aborted) return
    before += reading.done
  }
}

/** Bytes of a file that were read. */
type Reading = { done: number }

/** Yields the chunks of a regular file, which is read into their buffers. */
async function* readDirectly(
  path: string,
  cutter: LineCutter,
  reading: Reading,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const file = await open(path)
  try {
    while (!signal?.aborted) {
      const { bytesRead } = await file.read(cutter.room(), 0, READ_BYTES, null)
      reading.done += bytesRead
      yield* bytesRead === 0 ? cutter.rest() : cutter.added(bytesRead)
      if (bytesRead === 0) return
    }
  } finally {
    await file.close()
  }
}

/** Yields the chunks of standard input, a pipe or a compressed file. */
async function* streamed(
  path: string,
  cutter: LineCutter,
  reading: Reading,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const file = path === '-' ? null : createReadStream(path, { highWaterMark: READ_BYTES })
  const stream = file ?? process.stdin
  const plain = path.endsWith('.gz') ? stream.pipe(createGunzip()) : stream
  stream.on('error', (error: Error) => plain.destroy(error))
  if (signal !== undefined) addAbortSignal(signal, stream)
  for await (const chunk of cutAtLines(plain, cutter)) {
    reading.done = file?.bytesRead ?? 0
    yield chunk
  }
  reading.done = file?.bytesRead ?? 0
}
