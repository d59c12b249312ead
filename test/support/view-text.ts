/** Runs the text of an analysis view over given rows, without a pipeline. */

import { analysisViews } from '../../pipeline/warehouse/analysis-views.ts'
import { over } from '../../pipeline/warehouse/view-sql.ts'
import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { emptyWarehouse } from './reused-warehouse.ts'

export function viewText(view: string): string {
  return analysisViews().find(({ name }) => name === view)?.text ?? ''
}

/** Returns the rows of a view over relations, each given as a query. */
export async function viewRows(
  view: string,
  relations: readonly [name: string, query: string][],
  order: string,
): Promise<Row[]> {
  const warehouse = emptyWarehouse()
  await warehouse.open()
  const rows = await warehouse.query(`${over(relations, viewText(view))} order by ${order}`)
  await warehouse.close()
  return rows
}
