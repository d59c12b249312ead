/**
 * Groups messages that arrive at the same time into one write. Each caller waits for the write that
 * contains its message. A write starts when it has enough messages or bytes, or a few milliseconds
 * after its first message. Messages that arrive during a write go into the next one.
 */

import { now } from '../base/clock.ts'
import { landedTable } from './inbox-source.ts'
import { retrying, type Patience } from '../base/retry.ts'
import type { LandedMessage, Warehouse } from '../warehouse/warehouse.ts'

export type WriteBounds = { messagesMax: number; bytesMax: number; waitMs: number }

const WRITE_BOUNDS: WriteBounds = {
  messagesMax: 1_000,
  bytesMax: 8 * 1024 * 1024,
  waitMs: 20,
}

type Group = { messages: LandedMessage[]; bytes: number; begin(): void; written: Promise<void> }

export class SharedWrite {
  readonly #warehouse: Warehouse
  readonly #bounds: WriteBounds
  readonly #patience: Patience
  #gathering: Group | null = null
  #last: Promise<unknown> = Promise.resolve()

  constructor(warehouse: Warehouse, patience: Patience, bounds = WRITE_BOUNDS) {
    this.#warehouse = warehouse
    this.#patience = patience
    this.#bounds = bounds
  }

  /** Resolves when the message is stored; rejects when it is not. */
  land(message: LandedMessage): Promise<void> {
    const group = (this.#gathering ??= this.#gather())
    group.messages.push(message)
    group.bytes += message.data.length
    const { messagesMax, bytesMax } = this.#bounds
    if (group.messages.length >= messagesMax || group.bytes >= bytesMax) group.begin()
    return group.written
  }

  #gather(): Group {
    const messages: LandedMessage[] = []
    const before = this.#last
    let timer: NodeJS.Timeout
    let begin = () => {}
    const begun = new Promise<void>((resolve) => {
      begin = () => {
        clearTimeout(timer)
        this.#gathering = null
        resolve()
      }
      timer = setTimeout(begin, this.#bounds.waitMs)
    })
    const write = () => this.#warehouse.append('landed_messages', landedTable(messages), now())
    const written = Promise.all([begun, before]).then(() =>
      retrying('landing', write, this.#patience),
    )
    this.#last = written.catch(() => undefined)
    return { messages, bytes: 0, begin, written }
  }
}
