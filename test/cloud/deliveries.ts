/**
 * Events as messages of a subscription, faults of another subscriber, and the expected tables:
 * those of a run over a file, row for row.
 */

import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { v1, type PubSub, type Topic } from '@google-cloud/pubsub'
import { expect } from 'vitest'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import type { Random } from '../../scripts/sample/random.ts'
import { dump, sorted } from '../support/dump.ts'
import type { Row } from '../reference/reference.ts'

type ClientOptions = ConstructorParameters<typeof v1.SubscriberClient>[0]

/** Returns lines as messages of every form: single, arrays, NDJSON, gzip, over several lines. */
export function messagesOf(all: readonly string[], random: Random): Buffer[] {
  const messages: Buffer[] = []
  for (let from = 0; from < all.length;) {
    const count = random.chance(0.5) ? 1 : random.between(2, 12)
    const part = all.slice(from, (from += count))
    const asList = part.every(isObject) && random.chance(0.5)
    const text = asList ? `[${part.join(',\n')}]` : part.join('\n')
    messages.push(random.chance(0.3) ? gzipSync(text) : Buffer.from(text))
  }
  return messages
}

function isObject(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object'
  } catch {
    return false
  }
}

export async function publish(topic: Topic, messages: readonly Buffer[]): Promise<void> {
  await Promise.all(messages.map((data) => topic.publishMessage({ data })))
}

/** Takes messages like another subscriber, returns some at once and keeps the others past their
 * deadline. Returns how many it received. */
export async function disturb(
  pubsub: PubSub,
  subscription: string,
  backShare: number,
): Promise<number> {
  const client = new v1.SubscriberClient((await pubsub.getClientConfig()) as ClientOptions)
  const [{ receivedMessages }] = await client.pull({ subscription, maxMessages: 60 })
  const ackIds = (receivedMessages ?? []).map(({ ackId }) => ackId as string)
  const back = ackIds.slice(0, Math.ceil(backShare * ackIds.length))
  if (back.length > 0) {
    await client.modifyAckDeadline({ subscription, ackIds: back, ackDeadlineSeconds: 0 })
  }
  await client.close()
  return ackIds.length
}

/** Runs the same lines from a file into DuckDB. */
export async function embedded(all: readonly string[], database: string): Promise<void> {
  const path = `${database}.ndjson`
  writeFileSync(path, all.join('\n'))
  const args = ['--import', 'tsx', 'scripts/start.ts', '--warehouse', `duckdb:${database}`, path]
  const [code] = await once(spawn(process.execPath, args, { stdio: 'ignore' }), 'exit')
  expect(code).toBe(0)
}

/** Returns rows without what depends on batches. */
async function tablesOf(warehouse: Warehouse): Promise<{ [view: string]: unknown[] }> {
  await warehouse.open()
  const events = await warehouse.query(
    `select event_id, name, occurred_at, ordinal, source, identifiers, properties, context
     from events`,
  )
  const refused = await warehouse.query('select raw, reason from dead_letters')
  const letters = refused.map(({ raw, reason }) => `${reason} ${Buffer.from(raw as Uint8Array)}`)
  const views = await dump(warehouse)
  await warehouse.close()
  return { events: sorted(events as Row[]), letters: letters.toSorted(), ...views }
}

export async function expectSameTables(found: Warehouse, expected: Warehouse): Promise<void> {
  const [ours, theirs] = [await tablesOf(found), await tablesOf(expected)]
  for (const view of Object.keys(theirs)) {
    expect({ view, rows: ours[view] }).toEqual({ view, rows: theirs[view] })
  }
}

/** Returns the number of events and dead letters. */
export async function countOf(warehouse: Warehouse): Promise<number> {
  await warehouse.open()
  const [row] = await warehouse.query(
    `select (select count(*) from events) + (select count(*) from dead_letters) as n`,
  )
  await warehouse.close()
  return row?.['n'] as number
}
