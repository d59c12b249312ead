/** Shared writes of the inbox: which messages share one, when it begins, and how it fails. */

import { afterEach, beforeEach, expect, test } from 'vitest'
import { messageOfBody } from '../../pipeline/io/inbox-source.ts'
import { SharedWrite, type WriteBounds } from '../../pipeline/io/inbox-writer.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { emptyWarehouse } from '../support/reused-warehouse.ts'

/** Longer than any test takes. */
const NEVER_MS = 1_000_000

let warehouse: Warehouse
/** Rows of each write, in the order in which they begin. */
let writes: number[]
let failures: Error[]

beforeEach(async () => {
  warehouse = emptyWarehouse()
  await warehouse.open()
  writes = []
  failures = []
})
afterEach(() => warehouse.close())

/** The warehouse, with its writes counted and failing as `failures` say. */
function counted(): Warehouse {
  return new Proxy(warehouse, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      if (name !== 'append') return member.bind(target)
      return async (...args: Parameters<Warehouse['append']>) => {
        writes.push(args[1].numRows)
        const failure = failures.shift()
        if (failure !== undefined) throw failure
        await target.append(...args)
      }
    },
  })
}

const shared = (bounds: Partial<WriteBounds>) =>
  new SharedWrite(counted(), {}, { messagesMax: 100, bytesMax: 100, waitMs: 0, ...bounds })

function message(id: string, text = 'x') {
  const data = Buffer.from(text).toString('base64')
  return messageOfBody({ message: { messageId: id, data } }, 0) ?? expect.unreachable()
}

async function stored(): Promise<unknown[]> {
  const rows = await warehouse.query('select message_id from landed_messages order by 1')
  return rows.map((row) => row['message_id'])
}

test('writes messages that arrive together at once, and resolves after the write', async () => {
  const write = shared({})
  await Promise.all(['a', 'b', 'c'].map((id) => write.land(message(id))))
  expect(writes).toEqual([3])
  expect(await stored()).toEqual(['a', 'b', 'c'])
})

test('begins at the greatest number of messages without waiting', async () => {
  const write = shared({ messagesMax: 2, waitMs: NEVER_MS })
  await Promise.all(['a', 'b', 'c', 'd'].map((id) => write.land(message(id))))
  expect(writes).toEqual([2, 2])
})

test('begins at the greatest number of bytes without waiting', async () => {
  const write = shared({ bytesMax: 10, waitMs: NEVER_MS })
  await Promise.all([
    write.land(message('a', '12345')),
    write.land(message('b', '1234')),
    write.land(message('c', '1')),
    write.land(message('d', '1234567890')),
  ])
  expect(writes).toEqual([3, 1])
})

test('puts messages that arrive during a write into the next one', async () => {
  const write = shared({})
  const first = write.land(message('a'))
  await first
  await Promise.all([write.land(message('b')), write.land(message('c'))])
  expect(writes).toEqual([1, 2])
})

test('rejects the messages of a failed write alone', async () => {
  failures = [new Error('disk full')]
  const write = shared({ messagesMax: 1 })
  const [first, second] = await Promise.allSettled([
    write.land(message('a')),
    write.land(message('b')),
  ])
  expect(first).toMatchObject({ status: 'rejected', reason: { message: 'disk full' } })
  expect(second).toMatchObject({ status: 'fulfilled' })
  expect(await stored()).toEqual(['b'])
})
