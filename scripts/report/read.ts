/** Rows of a warehouse → the plain values of the document. */

import { formatInstant, MS, parseInstant } from '../../pipeline/base/clock.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import type { Remainder } from './document.ts'

/** A query of the public views, one journey's rows: its id is `?`. */
export type Ask = (sql: string) => Promise<Row[]>

export function asking(warehouse: Warehouse, journey: string): Ask {
  return (sql) => warehouse.query(sql, [journey])
}

export const text = (value: unknown): string => String(value ?? '')
export const number = (value: unknown): number => Number(value ?? 0)
export const numberOrNull = (value: unknown): number | null =>
  value === null || value === undefined ? null : Number(value)

/** Microseconds → milliseconds. */
export const instantOrNull = (value: unknown): number | null =>
  value === null || value === undefined ? null : Math.round(Number(value) / MS)

/** `2026-03-07` → the milliseconds at which the day begins. */
export function dayOf(value: unknown): number {
  return (parseInstant(`${text(value)}T00:00:00Z`) ?? 0) / MS
}

/** The inverse of `dayOf`. */
export function dateOf(ms: number): string {
  return formatInstant(ms * MS).slice(0, 10)
}

/** `cart > checkout > cart`: no state has a `>` in its name. */
export const pathOf = (value: unknown): string[] => text(value).split(' > ')

/** Rows by the values of a column, in their order. */
export function grouped(rows: Row[], key: string | ((row: Row) => string)): Map<string, Row[]> {
  const keyOf = typeof key === 'string' ? (row: Row) => text(row[key]) : key
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(keyOf(row))
    if (group === undefined) groups.set(keyOf(row), [row])
    else group.push(row)
  }
  return groups
}

/** The first `max` rows of each track, every row with the totals of all. */
export function commonest(view: string, measure: string, order: string, max: number): string {
  return `
    select *, ${measure} as times,
      count(*) over (partition by track) as all_paths,
      sum(${measure}) over (partition by track) as all_times
    from ${view} where journey = ?
    qualify row_number() over (partition by track order by ${order}) <= ${max}
    order by track, ${order}`
}

/** Returns the rows of a track that are left out. */
export function leftOut(rows: Row[]): Remainder {
  const [first] = rows
  if (first === undefined) return { paths: 0, times: 0 }
  const shown = rows.reduce((total, row) => total + number(row['times']), 0)
  return {
    paths: number(first['all_paths']) - rows.length,
    times: number(first['all_times']) - shown,
  }
}
