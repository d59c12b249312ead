/** Cost of each analysis view on a warehouse: rows, time, and CPU time. */

import { analysisViews } from '../../pipeline/warehouse/analysis-views.ts'
import { elapsedMs } from '../../pipeline/base/clock.ts'
import { warehouseOf } from '../../pipeline/config.ts'
import { ASKING } from '../../pipeline/duckdb/resource-limits.ts'

const ASKED = 3

export type ViewCost = { view: string; rows: number; ms: number; cpuMs: number }

/** Returns the cost of each view, from the fastest of a few queries. The rows go to a temporary table. */
export async function viewCosts(url: string): Promise<{ moves: number; costs: ViewCost[] }> {
  const warehouse = warehouseOf(url, ASKING)
  await warehouse.open()
  try {
    const countOf = async (relation: string) =>
      (await warehouse.query(`select count(*) as n from ${relation}`))[0]?.['n'] as number
    const costs: ViewCost[] = []
    for (const { name } of analysisViews()) {
      const cost = { view: name, rows: 0, ms: Infinity, cpuMs: Infinity }
      for (let i = 0; i < ASKED; i++) {
        const before = process.cpuUsage()
        const startedAt = elapsedMs()
        await warehouse.query(`create or replace temp table answer as select * from ${name}`)
        cost.ms = Math.min(cost.ms, elapsedMs() - startedAt)
        const { user, system } = process.cpuUsage(before)
        cost.cpuMs = Math.min(cost.cpuMs, (user + system) / 1_000)
      }
      cost.rows = await countOf('answer')
      costs.push(cost)
    }
    return { moves: await countOf('transitions'), costs }
  } finally {
    await warehouse.close()
  }
}
