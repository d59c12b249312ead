/** Rows of a commit in transit between threads. */

import type { Table } from 'apache-arrow'
import type { Commit } from '../warehouse.ts'
import { TablePacker, TableUnpacker, type PackedTable } from './arrow-thread.ts'

/** A commit, or a part of one with other members. */
type WithTables = Pick<Commit, 'inserts' | 'supersedes' | 'images'>

/** Rows as a message: each table is packed. */
export type Packed<Rows extends WithTables> = {
  [member in keyof Rows]: Rows[member] extends Map<infer Name, Table>
    ? Map<Name, PackedTable>
    : Rows[member]
}

/** Returns rows as a message. Its buffers may be moved with it: the rows cannot be used then. */
export function packedTables<Rows extends WithTables>(
  rows: Rows,
): { packed: Packed<Rows>; moved: ArrayBuffer[] } {
  const packer = new TablePacker()
  const all = <Name>(tables: Map<Name, Table>) =>
    new Map([...tables].map(([name, table]) => [name, packer.pack(table)]))
  const { inserts, supersedes, images } = rows
  const tables = { inserts: all(inserts), supersedes: all(supersedes), images: all(images) }
  return { packed: { ...rows, ...tables } as Packed<Rows>, moved: [...packer.moved] }
}

/** Returns the rows of a message. */
export function unpackedTables<Rows extends WithTables>(packed: Packed<Rows>): Rows {
  const unpacker = new TableUnpacker()
  const all = <Name>(tables: Map<Name, PackedTable>) =>
    new Map([...tables].map(([name, table]) => [name, unpacker.unpack(table)]))
  const { inserts, supersedes, images } = packed as unknown as Packed<WithTables>
  const tables = { inserts: all(inserts), supersedes: all(supersedes), images: all(images) }
  return { ...packed, ...tables } as unknown as Rows
}
