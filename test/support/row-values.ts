/** Typed rows as plain values. */

import { uuidText } from '../../pipeline/base/hash.ts'
import { Hashes, Hashes64 } from '../../pipeline/base/hashes.ts'
import type { Rows } from '../../pipeline/microbatch/rows/rows.ts'
import { Doubles } from '../../pipeline/stages/growable-array.ts'
import { TABLES } from '../../pipeline/warehouse/tables.ts'

export type Value = string | number | boolean | null

/** Returns hashes as UUID text. */
export function idsOf(hashes: Hashes): string[] {
  return Array.from({ length: hashes.length }, (_, row) => uuidText(hashes.bytes(), row))
}

/** Returns each row's values by column, without `row_key`. */
export function valuesOf({ table, texts, keys, stored, count }: Rows): { [name: string]: Value }[] {
  const ids = idsOf(keys)
  const ownId = TABLES[table].columns.find((column) => 'isKey' in column)?.name
  return Array.from({ length: count }, (_, row) => {
    const values: { [name: string]: Value } = ownId === undefined ? {} : { [ownId]: ids[row] ?? '' }
    for (const { name, type, store } of stored) {
      if (store instanceof Doubles) values[name] = numberOf(store.at(row))
      else if (store instanceof Hashes64) values[name] = String(store.values()[row])
      else if (store instanceof Hashes) {
        values[name] = store.isNull(row) ? null : uuidText(store.bytes(), row)
      } else if (type === 'boolean') values[name] = store.at(row) === 1
      else values[name] = store.at(row) < 0 ? null : texts.at(store.at(row))
    }
    return values
  })
}

const numberOf = (value: number) => (Number.isNaN(value) ? null : value)
