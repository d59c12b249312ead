/**
 * One write for what comes at the same time: each caller waits until the write that has its message
 * is done. A write begins when it has enough messages or bytes, or a little after its first; while
 * it is under way the next one gathers.
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

  /** Settled when the message is on record, or is known not to be. */
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
