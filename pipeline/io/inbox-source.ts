/**
 * Inbox source: messages that receivers stored in `landed_messages`, exactly as they were
 * delivered.
 *
 * Each batch records the messages it applied in its own commit, so every message is applied exactly
 * once. A message that was stored twice contains the same events twice; the duplicates are dropped.
 */

import { arrowTable } from '../warehouse/arrow/arrow.ts'
import { MS, parseInstant } from '../base/clock.ts'
import { cutToSize, messagesOf } from '../decode/unpack-messages.ts'
import type { Chunk, Source } from './source.ts'
import type { LandedMessage, Warehouse } from '../warehouse/warehouse.ts'

const MESSAGES_MAX = 20_000
const BYTES_MAX = 16 * 1024 * 1024

/** Returns the messages that no batch has applied. Ends when all are applied or `signal` aborts. */
export function landedSource(warehouse: Warehouse, signal: AbortSignal): Source {
  return {
    origin: 'landed messages',
    isLive: true,
    [Symbol.asyncIterator]: () => new Backlog(warehouse, signal),
  }
}

/** Reads a chunk only after the previous one is committed; before that it would read the same one. */
class Backlog implements AsyncIterator<Chunk> {
  readonly #warehouse: Warehouse
  readonly #signal: AbortSignal
  #committed: Promise<boolean> = Promise.resolve(true)
  #settle: (isCommitted: boolean) => void = () => undefined
  #given = 0

  constructor(warehouse: Warehouse, signal: AbortSignal) {
    this.#warehouse = warehouse
    this.#signal = signal
  }

  async next(): Promise<IteratorResult<Chunk, undefined>> {
    const goesOn = (await this.#committed) && !this.#signal.aborted
    const bounds = { messagesMax: MESSAGES_MAX, bytesMax: BYTES_MAX }
    const found = goesOn ? await this.#warehouse.unapplied(bounds) : []
    if (found.length === 0) return { done: true, value: undefined }
    const applying = cutToSize(found)
    this.#given += applying.length
    this.#committed = new Promise((resolve) => (this.#settle = resolve))
    return {
      done: false,
      value: {
        ...messagesOf(
          applying.map(({ data }) => data),
          applying.map(({ publish_time }) => publish_time),
        ),
        applying,
        origin: 'landed messages',
        progress: { done: this.#given, total: null },
        acknowledge: () => Promise.resolve(this.#settle(true)),
      },
    }
  }

  return(): Promise<IteratorResult<Chunk, undefined>> {
    this.#settle(false)
    return Promise.resolve({ done: true, value: undefined })
  }
}

/** Returns messages as rows of `landed_messages`. */
export function landedTable(messages: readonly LandedMessage[]) {
  const columns = {
    subscription_name: messages.map((message) => message.subscription_name),
    message_id: messages.map((message) => message.message_id),
    publish_time: messages.map((message) => message.publish_time),
    data: messages.map((message) => message.data),
    attributes: messages.map((message) => message.attributes),
  }
  return arrowTable('landed_messages', columns, messages.length)
}

/** Returns the message of a request body `{ message, subscription }`, or null without one. */
export function messageOfBody(body: unknown, at: number): LandedMessage | null {
  const { message, subscription } = (body ?? {}) as { [member: string]: unknown }
  if (typeof message !== 'object' || message === null) return null
  const sent = message as { [member: string]: unknown }
  const id = sent['messageId'] ?? sent['message_id']
  if (typeof id !== 'string' || id === '') return null
  return {
    subscription_name: typeof subscription === 'string' ? subscription : '',
    message_id: id,
    publish_time: parseInstant(sent['publishTime'] ?? sent['publish_time']) ?? at - (at % MS),
    data: new Uint8Array(Buffer.from(String(sent['data'] ?? ''), 'base64')),
    attributes: JSON.stringify(sent['attributes'] ?? {}),
  }
}
