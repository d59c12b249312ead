/**
 * Builds Arrow tables from columns, by the table catalogue. No other file creates Arrow tables.
 *
 * Typed arrays are used without copying; plain values are packed once.
 */

import {
  Field,
  Float64,
  makeData,
  Schema,
  RecordBatch,
  Struct,
  Table,
  Uint64,
  type Data,
  type DataType,
  type Utf8,
} from 'apache-arrow'
import type { DictionaryColumn, TextColumn } from '../../base/columns.ts'
import { assert } from '../../base/errors.ts'
import type { Column, ColumnType } from '../column.ts'
import { TABLES, type TableName } from '../tables.ts'
import { dataOf, Nulls, textData, uuidData, type ColumnData, type Uuids } from './pack.ts'

/** Builds rows of a catalogue table from exactly its columns, each with `count` values. */
export function arrowTable(
  table: TableName,
  columns: { [column: string]: ColumnData },
  count: number,
): Table {
  const specs: readonly Column[] = TABLES[table].columns
  assert(Object.keys(columns).length === specs.length, `${table} has exactly its own columns`)
  const parts = specs.map((spec) => {
    const given = columns[spec.name]
    assert(given !== undefined, `column ${spec.name} of ${table} is given`)
    return { name: spec.name, data: dataOf(spec.type, given, count) }
  })
  return tableOf(parts, count)
}

/** Builds the rows that supersede versions. */
export function supersedeTable(rowKeys: Uuids, because: DictionaryColumn): Table {
  const count = because.codes.length
  return tableOf(
    [
      { name: 'row_key', data: uuidData(rowKeys, count) },
      { name: 'superseded_because', data: dataOf('text', because, count) },
    ],
    count,
  )
}

/** Returns the texts of a column without nulls, without copying. The table has one batch. */
export function textColumn(rows: Table, name: string): TextColumn {
  const data = rows.getChild(name)?.data ?? []
  assert(data.length === 1, `column ${name} has one batch`)
  const [texts] = data as [Data<Utf8>]
  return { bytes: texts.values, offsets: texts.valueOffsets }
}

/** Adds to every value of an integer column, in place. */
export function addToIntegers(rows: Table, name: string, more: number): void {
  for (const { values } of rows.getChild(name)?.data ?? []) {
    const integers = values as BigInt64Array
    for (let row = 0; row < integers.length; row++) {
      integers[row] = (integers[row] as bigint) + BigInt(more)
    }
  }
}

/** Builds keys to look up: their 64-bit hashes and their texts. */
export function keyTable(k: BigUint64Array, keys: string[]): Table {
  const hashes = makeData({ type: new Uint64(), length: k.length, data: k })
  return tableOf(
    [
      { name: 'k', data: hashes },
      { name: 'key', data: textData(keys) },
    ],
    keys.length,
  )
}

/** Builds hashes to look up. */
export function hashTable(k: BigUint64Array): Table {
  const data = makeData({ type: new Uint64(), length: k.length, data: k })
  return tableOf([{ name: 'k', data }], k.length)
}

/** Builds UUIDs to look up. */
export function uuidTable(ids: readonly string[]): Table {
  return tableOf([{ name: 'id', data: uuidData(uuidsFromText(ids), ids.length) }], ids.length)
}

/** Converts UUID text to bytes. */
export function uuidsFromText(ids: readonly string[]): Uuids {
  const hex = ids.map((id) => id.replaceAll('-', '')).join('')
  return { bytes: new Uint8Array(Buffer.from(hex, 'hex')) }
}

/** Column that belongs to no table: a catalogue type, or a number with a fraction. */
export type RowColumn = { name: string; type: ColumnType | 'number' }

/** Builds a record batch from query rows. */
export function rowBatch(
  columns: readonly RowColumn[],
  rows: readonly { [column: string]: unknown }[],
): RecordBatch {
  const parts = columns.map(({ name, type }) => {
    const values = rows.map((row) => row[name] ?? null)
    const given = type === 'text' ? values.map(textOrNull) : (values as ColumnData)
    const data = type === 'number' ? floatData(values) : dataOf(type, given, rows.length)
    return { name, data }
  })
  return tableOf(parts, rows.length).batches[0] as RecordBatch
}

function textOrNull(value: unknown): string | null {
  return value === null ? null : String(value)
}

function floatData(values: unknown[]): Data {
  const data = new Float64Array(values.length)
  const nulls = new Nulls(values.length)
  for (const [row, value] of values.entries()) {
    if (value === null) nulls.add(row)
    else data[row] = value as number
  }
  return makeData({ type: new Float64(), length: values.length, data, ...nulls.validity })
}

function tableOf(parts: { name: string; data: Data }[], count: number): Table {
  const fields = parts.map(({ name, data }) => new Field(name, data.type as DataType, true))
  const children = parts.map(({ data }) => data)
  const schema = new Schema(fields)
  const data = makeData({ type: new Struct(fields), length: count, children })
  return new Table(schema, new RecordBatch(schema, data))
}
