/** Shapes of tables and columns: names, types, and whether a column is nullable or private. */

/**
 * text; json (JSON as text); instant (microseconds UTC); integer (64 bits, within 2^53);
 * boolean; bytes; hash64 (unsigned); uuid (16 bytes, big-endian, shown as UUID text).
 */
export type ColumnType =
  'text' | 'json' | 'instant' | 'integer' | 'boolean' | 'bytes' | 'hash64' | 'uuid'

export type Column<Name extends string = string, Type extends ColumnType = ColumnType> = {
  name: Name
  type: Type
  nullable?: true
  private?: true
  /** Public id that equals `row_key`. */
  isKey?: true
}

export type TableSpec = {
  kind: 'versioned' | 'log' | 'private'
  /** Public names of a versioned table: of its current rows and of all its versions. */
  view?: string
  versions?: string
  columns: readonly Column[]
}

export const text = <Name extends string>(name: Name): Column<Name, 'text'> => ({
  name,
  type: 'text',
})
export const textOrNull = <Name extends string>(name: Name): Column<Name, 'text'> => ({
  name,
  type: 'text',
  nullable: true,
})
export const instant = <Name extends string>(name: Name): Column<Name, 'instant'> => ({
  name,
  type: 'instant',
})
export const instantOrNull = <Name extends string>(name: Name): Column<Name, 'instant'> => ({
  name,
  type: 'instant',
  nullable: true,
})
export const integer = <Name extends string>(name: Name): Column<Name, 'integer'> => ({
  name,
  type: 'integer',
})
export const json = <Name extends string>(name: Name): Column<Name, 'json'> => ({
  name,
  type: 'json',
})
export const uuid = <Name extends string>(name: Name): Column<Name, 'uuid'> => ({
  name,
  type: 'uuid',
})
export const key = <Name extends string>(name: Name) =>
  ({ name, type: 'uuid', isKey: true }) as const
export const hidden = <const C extends Column>(column: C) => ({ ...column, private: true }) as const
