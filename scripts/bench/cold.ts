/** One batch per process, from start to exit, after histories of several lengths. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram, type Usage } from './program.ts'
import { Shop } from '../sample/shop.ts'

/** Returns the usage of `npm start` for `batch` events after each number of events in `histories`,
 * ascending. */
export async function coldBatches(
  dir: string,
  batch: number,
  histories: readonly number[],
): Promise<Usage[]> {
  const lines = new Shop(11).lines((histories.at(-1) ?? 0) + batch * histories.length)
  let loaded = 0
  const load = (count: number): Promise<Usage> => {
    const part: string[] = []
    while (part.length < count) part.push(lines.next().value as string)
    loaded += count
    const file = join(dir, 'cold.ndjson')
    writeFileSync(file, `${part.join('\n')}\n`)
    const args = ['--warehouse', `duckdb:${join(dir, 'cold.duckdb')}`, file]
    return runProgram('scripts/start.ts', args, join(dir, 'usage.json'))
  }
  const usages: Usage[] = []
  for (const history of histories) {
    await load(history - loaded)
    usages.push(await load(batch))
  }
  return usages
}
