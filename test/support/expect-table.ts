/** Rows of a view as a text table. */

import { expect } from 'vitest'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'

/**
 * Compares the columns that the table names with its rows, in any order; `-` is null. Columns in
 * `_min` are those in `_ms`, in minutes; rates are rounded to three places.
 */
export async function expectTable(
  warehouse: Warehouse,
  view: string,
  table: string,
): Promise<void> {
  const lines = table.split('\n').filter((line) => line.trim() !== '')
  const [columns = [], ...expected] = lines.map((line) => line.trim().split(/\s{2,}/))
  const source = columns.map((name) => name.replace(/_min$/, '_ms'))
  const rows = await warehouse.query(`select ${source.join(', ')} from ${view}`)
  const actual = rows.map((row) =>
    columns.map((name, c) => {
      const value = row[source[c] as string]
      if (value === null) return '-'
      if (name.endsWith('_min')) return String((value as number) / 60_000)
      return typeof value === 'number' ? String(Math.round(value * 1_000) / 1_000) : String(value)
    }),
  )
  const inOrder = (cells: string[][]) => cells.map((row) => row.join('  ')).sort()
  expect(inOrder(actual)).toEqual(inOrder(expected))
}
