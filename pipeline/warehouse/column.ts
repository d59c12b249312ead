/** Shapes of tables and columns: names, types, and whether a column is nullable or private. */

/**
 * text; json (JSON as text); instant (microseconds UTC); integer (64 bits, within 2^53);
 * boolean; bytes; hash64 (unsigned); uuid (16 bytes, big-endian, shown as UUID text).
 */
export type ColumnType =
  'text' | 'json' | 'instant' | 'integer' | 'boolean' | 'bytes' | 'hash64' | 'uuid'

export type Column = { name: string; type: ColumnType; nullable?: true; private?: true }

export type TableSpec = {
  kind: 'versioned' | 'log' | 'private'
  /** Public names of a versioned table: of its current rows and of all its versions. */
  view?: string
  versions?: string
  columns: readonly Column[]
}

export const text = (name: string): Column => ({ name, type: 'text' })
export const textOrNull = (name: string): Column => ({ name, type: 'text', nullable: true })
export const instant = (name: string): Column => ({ name, type: 'instant' })
export const instantOrNull = (name: string): Column => ({ name, type: 'instant', nullable: true })
export const integer = (name: string): Column => ({ name, type: 'integer' })
export const json = (name: string): Column => ({ name, type: 'json' })
export const uuid = (name: string): Column => ({ name, type: 'uuid' })
export const hidden = (column: Column): Column => ({ ...column, private: true })
