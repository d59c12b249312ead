/** One batch per process, from start to exit, after histories of several lengths. */

import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram, type Usage } from './program.ts'
import { Shop } from '../sample/shop.ts'

const CHUNK_LINES = 10_000

/** Returns the usage of `npm start` for `batch` events after each number of events in `histories`,
 * ascending. */
export async function coldBatches(
  dir: string,
  batch: number,
  histories: readonly number[],
): Promise<Usage[]> {
  const lines = new Shop(11).lines((histories.at(-1) ?? 0) + batch * histories.length)
  const file = join(dir, 'cold.ndjson')
  let loaded = 0
  const load = (count: number): Promise<Usage> => {
    loaded += count
    writeLines(file, lines, count)
    const args = ['--warehouse', `duckdb:${join(dir, 'cold.duckdb')}`, file]
    return runProgram('scripts/start.ts', args, join(dir, 'usage.json'))
  }
  const usages: Usage[] = []
  for (const history of histories) {
    await load(history - loaded)
    usages.push(await load(batch))
  }
  rmSync(file)
  return usages
}

/** Writes the next `count` lines to a file. */
function writeLines(path: string, lines: Iterator<string>, count: number): void {
  const file = openSync(path, 'w')
  for (let left = count; left > 0; left -= CHUNK_LINES) {
    const chunk = nextLines(lines, Math.min(left, CHUNK_LINES))
    writeSync(file, `${chunk.join('\n')}\n`)
  }
  closeSync(file)
}

export function nextLines(lines: Iterator<string>, count: number): string[] {
  return Array.from({ length: count }, () => lines.next().value as string)
}
