/** Derived part in transit between threads. */

import type { Table } from 'apache-arrow'
import { TablePacker, TableUnpacker, type PackedTable } from '../warehouse/arrow/arrow-thread.ts'
import type { BuiltPart } from './derive-part.ts'

export type PackedPart = {
  [member in keyof BuiltPart]: BuiltPart[member] extends Map<infer Name, Table>
    ? Map<Name, PackedTable>
    : BuiltPart[member]
}

/** Returns a part as a message, and the buffers to move with it. */
export function packedPart(part: BuiltPart): { packed: PackedPart; moved: ArrayBuffer[] } {
  const packer = new TablePacker()
  const all = <Name>(tables: Map<Name, Table>) =>
    new Map([...tables].map(([name, table]) => [name, packer.pack(table)]))
  const packed = {
    ...part,
    inserts: all(part.inserts),
    supersedes: all(part.supersedes),
    images: all(part.images),
  }
  return { packed, moved: [...packer.moved] }
}

export function unpackedPart(part: PackedPart): BuiltPart {
  const unpacker = new TableUnpacker()
  const all = <Name>(tables: Map<Name, PackedTable>) =>
    new Map([...tables].map(([name, table]) => [name, unpacker.unpack(table)]))
  return {
    ...part,
    inserts: all(part.inserts),
    supersedes: all(part.supersedes),
    images: all(part.images),
  }
}
