/** Values on the wire of BigQuery jobs: parameters of a query, cells of its rows. */

import type { Row } from '../warehouse/warehouse.ts'

export type Parameter = { value: string | number | null | string[]; type: string }
/** Named parameters (`@name`), or a list with one entry for each `?`. */
export type Parameters = { [name: string]: Parameter } | Parameter[]

/** Returns values as a list of parameters. */
export function parametersOf(values: (string | number | null)[]): Parameter[] {
  return values.map((value) => {
    const isWhole = Number.isInteger(value)
    const type = typeof value !== 'number' ? 'STRING' : isWhole ? 'INT64' : 'FLOAT64'
    return { value, type }
  })
}

export type Field = { name: string; type: string; mode?: string; fields?: Field[] }
/** Returns parameters in the library's form; nothing for a text without parameters. */
export function bound(parameters: Parameters) {
  if (Array.isArray(parameters)) {
    if (parameters.length === 0) return {}
    return {
      params: parameters.map(({ value }) => value),
      types: parameters.map(({ type }) => type),
    }
  }
  const entries = Object.entries(parameters)
  if (entries.length === 0) return {}
  return {
    params: Object.fromEntries(entries.map(([name, { value }]) => [name, value])),
    types: Object.fromEntries(
      entries.map(([name, { value, type }]) => [name, Array.isArray(value) ? [type] : type]),
    ),
  }
}

/** Returns a row by column name. */
export function rowOf(fields: Field[], cells: { v: unknown }[]): Row {
  const row: Row = {}
  fields.forEach((field, i) => {
    row[field.name] = valueOf(field, cells[i]?.v)
  })
  return row
}

function valueOf(field: Field, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (field.mode === 'REPEATED') {
    const one = { ...field, mode: 'NULLABLE' }
    return (value as { v: unknown }[]).map((element) => valueOf(one, element.v))
  }
  switch (field.type) {
    case 'INTEGER':
    case 'INT64':
    case 'FLOAT':
    case 'FLOAT64':
    case 'NUMERIC':
    case 'TIMESTAMP':
      return Number(value)
    case 'BOOLEAN':
    case 'BOOL':
      return value === 'true' || value === true
    case 'BYTES':
      return Buffer.from(value as string, 'base64')
    case 'RECORD':
    case 'STRUCT':
      return rowOf(field.fields ?? [], (value as { f: { v: unknown }[] }).f)
    default:
      return value
  }
}
