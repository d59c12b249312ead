/**
 * Finds unhashed values of hashed namespaces in raw data: events, dead letters and landed messages.
 * Only warehouses written by versions without redaction contain them.
 */

import { plainValueCheck } from '../decode/redact/redact.ts'
import { messagesOf, unpack } from '../decode/unpack-messages.ts'
import type { Identity } from '../definition/settings.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

const NEW_LINE = '\n'
const EVENT_MEMBERS = ['identifiers', 'properties', 'context', 'alias', 'unlink']

/** Number of rows with plain values, by table. */
export type PlainRows = { events: number; dead_letters: number; landed_messages: number }

/** Returns null if no namespace is hashed. Needs no key, because hashes are recognized by their
 * form. */
export async function plainValuesOnRecord(
  warehouse: Warehouse,
  identity: Identity,
): Promise<PlainRows | null> {
  if (identity.hashed.length === 0) return null
  const isPlain = plainValueCheck(identity)
  const rowsWhere = async (sql: string, holds: (row: Row) => boolean) => {
    let count = 0
    for await (const rows of warehouse.stream(sql)) count += rows.filter(holds).length
    return count
  }
  return {
    events: await rowsWhere(`select ${EVENT_MEMBERS.join(', ')} from events`, (row) => {
      const members = EVENT_MEMBERS.map((name) => `"${name}":${String(row[name] ?? null)}`)
      return isPlain(Buffer.from(`{${members.join(',')}}`))
    }),
    dead_letters: await rowsWhere('select raw from dead_letters', ({ raw }) =>
      isPlain(raw as Uint8Array),
    ),
    landed_messages: await rowsWhere('select data, attributes from landed_messages', (row) => {
      const { bytes, messages } = messagesOf([row['data'] as Uint8Array], [0])
      const lines = Buffer.from(unpack(bytes, messages).bytes).toString('latin1').split(NEW_LINE)
      const attributes = Buffer.from(row['attributes'] as string)
      return isPlain(attributes) || lines.some((line) => isPlain(Buffer.from(line, 'latin1')))
    }),
  }
}
