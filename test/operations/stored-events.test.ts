/** Reading stored events back: an accepted event is accepted again. */

import { expect, test } from 'vitest'
import { LINE_BYTES_MAX } from '../../pipeline/decode/limits.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { StoredDecoder } from '../../pipeline/decode/stored-decoder.ts'
import { storedBatch, STORED_COLUMNS } from '../../pipeline/operations/stored-events.ts'
import { Harness } from '../support/dump.ts'

const EVENT = '"name":"A","occurred_at":"2026-03-01T10:00:00Z","identifiers":{"user_id":"u1"}'

test('events of the maximum size, and larger ones after serialization, are read back', async () => {
  const opening = `{"event_id":"largest",${EVENT},"properties":{"x":"`
  const filled = opening + 'x'.repeat(LINE_BYTES_MAX - opening.length - 3)
  const escaped = `"\\u0070roperties":{"a":[${'1e20,'.repeat(330_000)}0]}`
  const definitions = makeDefinitions({})
  const harness = new Harness(definitions)
  const lines = [`${filled}"}}`, `{"event_id":"escaped",${EVENT},${escaped}}`]
  expect(Buffer.byteLength(lines[0] as string)).toBe(LINE_BYTES_MAX)
  expect(await harness.feed(lines)).toMatchObject({ landed: 2, refused: new Map() })
  const rows = await harness.warehouse.query(
    `select ${STORED_COLUMNS.join(', ')} from events order by event_id desc`,
  )
  const batch = storedBatch(rows, new StoredDecoder(definitions.identity, []))
  expect(batch.eventId).toEqual(['largest', 'escaped'])
  expect(batch.content.bytes.length).toBeGreaterThan(2.5 * LINE_BYTES_MAX)
  await harness.warehouse.close()
})
