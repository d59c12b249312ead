/**
 * Arrow tables in transit between threads: their arrays are moved, not copied. Arrays and
 * dictionaries that columns or tables share are moved once and shared again on the other side.
 */

import {
  Binary,
  Bool,
  Dictionary,
  Field,
  FixedSizeBinary,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  Uint64,
  Utf8,
  Vector,
  type Data,
  type DataType,
} from 'apache-arrow'
import { assert } from '../../base/errors.ts'

type PackedColumn = {
  name: string
  type: string
  length: number
  nullCount: number
  nullBitmap: Uint8Array
  values: ArrayBufferView
  valueOffsets: Int32Array | undefined
  dictionary: PackedColumn | undefined
}

/** Table in transit. */
export type PackedTable = { count: number; columns: PackedColumn[] }

/** Types of columns by their names, except for dictionaries of texts. */
const TYPES = new Map(
  [
    new Utf8(),
    new Binary(),
    new Bool(),
    new Int64(),
    new Uint64(),
    new FixedSizeBinary(16),
    new TimestampMicrosecond('UTC'),
  ].map((type): [string, DataType] => [String(type), type]),
)

/** Packs the tables of one message. The tables cannot be used after the message is sent. */
export class TablePacker {
  /** Buffers to move with the message. */
  readonly moved = new Set<ArrayBuffer>()
  readonly #dictionaries = new Map<Vector, PackedColumn>()

  pack(table: Table): PackedTable {
    const [batch] = table.batches
    assert(batch !== undefined && table.batches.length === 1, 'a table in transit has one batch')
    const { fields } = table.schema
    return {
      count: table.numRows,
      columns: batch.data.children.map((data, c) => this.#column(data, fields[c]?.name ?? '')),
    }
  }

  #column(data: Data, name: string): PackedColumn {
    const { dictionary, type } = data
    return {
      name,
      type: dictionary === undefined ? String(type) : '',
      length: data.length,
      nullCount: data.nullCount,
      nullBitmap: this.#movable(data.nullBitmap),
      values: this.#movable(data.values),
      valueOffsets: data.valueOffsets && this.#movable(data.valueOffsets),
      dictionary: dictionary && this.#dictionary(dictionary),
    }
  }

  #dictionary(dictionary: Vector): PackedColumn {
    let packed = this.#dictionaries.get(dictionary)
    if (packed === undefined) {
      packed = this.#column(dictionary.data[0] as Data, '')
      this.#dictionaries.set(dictionary, packed)
    }
    return packed
  }

  /** Returns the array if its buffer is moved, or an array that is copied. A small part of a buffer is
   * copied: the rest may belong to others. */
  #movable<View extends ArrayBufferView>(view: View): View {
    const { buffer, byteOffset, byteLength } = view
    if (2 * byteLength > buffer.byteLength) {
      this.moved.add(buffer as ArrayBuffer)
      return view
    }
    const bytes = new Uint8Array(byteLength)
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength))
    return new (view.constructor as new (buffer: ArrayBuffer) => View)(bytes.buffer)
  }
}

/** Unpacks the tables of one message. */
export class TableUnpacker {
  readonly #dictionaries = new Map<PackedColumn, Vector>()

  unpack({ count, columns }: PackedTable): Table {
    const children = columns.map((column) => this.#data(column))
    const fields = children.map((data, c) => new Field(columns[c]?.name ?? '', data.type, true))
    const data = makeData({ type: new Struct(fields), length: count, children })
    const schema = new Schema(fields)
    return new Table(schema, new RecordBatch(schema, data))
  }

  #data({ type: name, dictionary, values, ...column }: PackedColumn): Data {
    if (dictionary !== undefined) {
      const type = new Dictionary(new Utf8(), new Int32())
      return makeData({
        ...column,
        type,
        data: values as Int32Array,
        dictionary: this.#dictionary(dictionary),
      })
    }
    const type = TYPES.get(name)
    assert(type !== undefined, `a column of type ${name} can be moved`)
    return makeData({ ...column, type, data: values } as Parameters<typeof makeData>[0]) as Data
  }

  #dictionary(packed: PackedColumn): Vector<Utf8> {
    let dictionary = this.#dictionaries.get(packed)
    if (dictionary === undefined) {
      dictionary = new Vector([this.#data(packed)])
      this.#dictionaries.set(packed, dictionary)
    }
    return dictionary as Vector<Utf8>
  }
}
