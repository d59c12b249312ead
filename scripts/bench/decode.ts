/** Decoder on one thread, beside `JSON.parse` of the same lines. */

import { decoderOf } from './decoder.ts'
import { elapsedMs, now } from '../../pipeline/base/clock.ts'
import { compile } from '../../pipeline/definition/compile.ts'
import { loadDefinitions } from '../../pipeline/definition/load.ts'
import { Shop } from '../sample/shop.ts'

const CHUNK_LINES = 20_000
const CHUNKS = 5
/** Rounds over all chunks. The first is not counted, because code is compiled during it. */
const ROUNDS = 4

/** Returns lines per second of the decoder and of `JSON.parse`, from the median round of each. */
export async function decodeRates(): Promise<[decode: number, parse: number]> {
  const definitions = await loadDefinitions('definitions')
  const decoder = decoderOf(definitions, compile(definitions))
  const all = [...new Shop(3).lines(CHUNK_LINES * CHUNKS)]
  const chunks = Array.from({ length: CHUNKS }, (_, i) =>
    all.slice(i * CHUNK_LINES, (i + 1) * CHUNK_LINES),
  )
  const bytes = chunks.map((lines) => new TextEncoder().encode(`${lines.join('\n')}\n`))
  const decodes: number[] = []
  const parses: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    decodes.push(secondsOf(() => bytes.forEach((chunk) => decoder.decode(chunk, now()))))
    parses.push(secondsOf(() => all.forEach(parseLine)))
  }
  return [all.length / median(decodes.slice(1)), all.length / median(parses.slice(1))]
}

/** Some lines of the shop are not JSON. */
function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function secondsOf(work: () => void): number {
  const startedAt = elapsedMs()
  work()
  return (elapsedMs() - startedAt) / 1_000
}

function median(times: number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN
}
