/** Bundled sample: a few days of a small shop, generated when it is read. */

import type { Chunk, Source } from '../../pipeline/io/source.ts'
import { Shop } from './shop.ts'

const SAMPLE_LINES = 20_000
const SAMPLE_SEED = 1

/** Returns the sample in chunks of at most `linesMax` lines. */
export function sampleSource(linesMax: number): Source {
  return {
    origin: 'sample',
    async *[Symbol.asyncIterator](): AsyncGenerator<Chunk> {
      const lines = [...new Shop(SAMPLE_SEED).lines(SAMPLE_LINES)]
      for (let from = 0; from < lines.length; from += linesMax) {
        const part = lines.slice(from, from + linesMax)
        yield {
          bytes: new Uint8Array(new TextEncoder().encode(part.join('\n'))),
          origin: 'sample',
          progress: { done: from + part.length, total: lines.length },
          acknowledge: () => Promise.resolve(),
        }
      }
    },
  }
}
