/** A pipeline in this process over a new DuckDB file with a local state store, as `npm start` has. */

import { join } from 'node:path'
import { decoderOf } from './decoder.ts'
import { elapsedMs, now } from '../../pipeline/base/clock.ts'
import { loadDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { Pipeline } from '../../pipeline/microbatch/pipeline.ts'
import { openLocalState } from '../../pipeline/state/local-state.ts'
import { warehouseState } from '../../pipeline/state/state-store.ts'

export type Feed = {
  /** Applies lines as one batch. Returns milliseconds of wall and of CPU time, of all threads. */
  apply(lines: readonly string[]): Promise<{ ms: number; cpuMs: number }>
  close(): Promise<void>
}

/** Opens the pipeline over `dir/name.duckdb`. */
export async function openFeed(dir: string, name: string): Promise<Feed> {
  const definitions = await loadDefinitions('definitions')
  const path = join(dir, `${name}.duckdb`)
  const warehouse = duckdbWarehouse(path)
  await warehouse.open()
  const state = (await openLocalState(`${path}.state`, warehouse)) ?? warehouseState(warehouse)
  const pipeline = await Pipeline.open(warehouse, definitions, { state })
  const decoder = decoderOf(definitions, pipeline.compiled)
  return {
    apply: async (lines) => {
      const bytes = new TextEncoder().encode(lines.join('\n'))
      const [startedAt, before] = [elapsedMs(), process.cpuUsage()]
      const decoded = decoder.decode(bytes, now())
      await pipeline.advance(decoded, { origin: 'bench', receivedAt: now() })
      const { user, system } = process.cpuUsage(before)
      return { ms: elapsedMs() - startedAt, cpuMs: (user + system) / 1_000 }
    },
    close: async () => {
      state.close()
      await warehouse.close()
    },
  }
}
