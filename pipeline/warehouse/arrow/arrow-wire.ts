/**
 * Serialization of Arrow tables: as JSON texts per row, and as the two
 * messages (schema, record batch) of the Storage Write API.
 */

import {
  Field,
  makeData,
  MessageReader,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampMicrosecond,
  Utf8,
  vectorFromArray,
  type Data,
  type Table,
  type Vector,
} from 'apache-arrow'
import { uuidText } from '../../base/hash.ts'

/** Yields each row as a JSON array of texts and nulls, without rounding: numbers as digits, hashes
 * signed, UUIDs as text, bytes in base64. */
export function* rowTexts(table: Table): Generator<string> {
  for (const batch of table.batches) {
    const cells = batch.data.children.map(cellOf)
    for (let row = 0; row < batch.numRows; row++) {
      yield `[${cells.map((cell) => cell(row)).join(',')}]`
    }
  }
}

const TRUE = '"true"'
const FALSE = '"false"'

/** Returns the JSON of a row's value. */
type Cell = (row: number) => string

function cellOf(data: Data): Cell {
  const cell = valueOf(data)
  return data.nullCount === 0 ? cell : (row) => (data.getValid(row) ? cell(row) : 'null')
}

function valueOf(data: Data): Cell {
  const { values, valueOffsets } = data
  if (data.dictionary !== undefined) {
    return dictionaryCell(data.dictionary, values as Int32Array)
  }
  const slice = (row: number) =>
    Buffer.from((values as Uint8Array).subarray(valueOffsets[row], valueOffsets[row + 1]))
  switch (String(data.type)) {
    case 'Utf8':
      return (row) => JSON.stringify(slice(row).toString())
    case 'Binary':
      return (row) => `"${slice(row).toString('base64')}"`
    case 'Bool':
      return (row) => ((((values as Uint8Array)[row >> 3] ?? 0) >> (row & 7)) & 1 ? TRUE : FALSE)
    case 'FixedSizeBinary[16]':
      return (row) => `"${uuidText(values as Uint8Array, row)}"`
    case 'Uint64':
      return (row) => `"${BigInt.asIntN(64, (values as BigUint64Array)[row] as bigint)}"`
    default:
      return (row) => `"${(values as BigInt64Array)[row]}"`
  }
}

/** Only texts that are used become JSON: others have the rest of a dictionary. */
function dictionaryCell(dictionary: Vector, codes: Int32Array): Cell {
  const known = new Map<number, string>()
  return (row) => {
    const code = codes[row] as number
    const text = known.get(code) ?? JSON.stringify(dictionary.get(code))
    known.set(code, text)
    return text
  }
}

/** Rows to stage; all have the same instant and stage. */
export type StagedRows = { stagedAt: number; stage: string; targets: string[]; contents: string[] }

/** Rows of one request. */
export type WireTable = {
  rowCount: number
  serializedSchema: Uint8Array
  serializedRecordBatch: Uint8Array
}

/** Returns rows with the columns `staged_at`, `stage`, `target`, `content`. */
export function stagedWire({ stagedAt, stage, targets, contents }: StagedRows): WireTable {
  const { length } = contents
  const text = (values: string[]) => vectorFromArray(values, new Utf8()).data[0] as Data
  return wireOf(
    ['staged_at', 'stage', 'target', 'content'],
    [instants(stagedAt, length), text(contents.map(() => stage)), text(targets), text(contents)],
    length,
  )
}

/** Yields a table with its `recorded_at`, in pieces of about the given number of bytes. */
export function* recordedWires(
  table: Table,
  recordedAt: number,
  pieceBytes: number,
): Generator<WireTable> {
  const names = [...table.schema.fields.map(({ name }) => name), 'recorded_at']
  for (const { data } of table.batches) {
    const pieces = Math.ceil(data.byteLength / pieceBytes)
    const rows = Math.max(1, Math.ceil(data.length / pieces))
    for (let from = 0; from < data.length; from += rows) {
      const count = Math.min(rows, data.length - from)
      const columns = data.children.map((child) => child.slice(from, count))
      yield wireOf(names, [...columns, instants(recordedAt, count)], count)
    }
  }
}

function instants(instant: number, length: number): Data {
  const data = new BigInt64Array(length).fill(BigInt(instant))
  return makeData({ type: new TimestampMicrosecond('UTC'), length, data })
}

function wireOf(names: string[], children: Data[], length: number): WireTable {
  const fields = children.map((data, i) => new Field(names[i] as string, data.type, true))
  const schema = new Schema(fields)
  const batch = new RecordBatch(schema, makeData({ type: new Struct(fields), length, children }))
  const [serializedSchema, serializedRecordBatch] = messagesOf(batch)
  return { rowCount: length, serializedSchema, serializedRecordBatch }
}

/** Returns the first two messages of an Arrow stream, each with its frame and body. */
function messagesOf(batch: RecordBatch): [Uint8Array, Uint8Array] {
  const bytes = RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = (from: number) => {
    const head = new MessageReader(bytes.subarray(from)).readMessage()
    return from + 8 + view.getInt32(from + 4, true) + (head?.bodyLength ?? 0)
  }
  const split = end(0)
  return [bytes.subarray(0, split), bytes.subarray(split, end(split))]
}
