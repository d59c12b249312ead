/**
 * Events of a whole history by partition. Beyond a number of events they are moved to a temporary
 * file, so memory does not grow with the history.
 */

import type { EventColumns } from '../decode/event-batch.ts'
import { EventColumnsBuilder, type DecodedEvent } from '../decode/event-columns-builder.ts'
import { SpillFile, type Spilled } from './spill-file.ts'

/** Events in memory, of all partitions. An event takes about 200 bytes. */
export const EVENTS_IN_MEMORY = 1_000_000

export class PartitionedEvents {
  readonly #builders: EventColumnsBuilder[]
  readonly #spilled: Spilled<EventColumns>[][]
  readonly #inMemoryMax: number
  #inMemory = 0
  readonly #file = new SpillFile()

  constructor(
    shape: { partitions: number; namespaces: number; operands: number },
    inMemoryMax = EVENTS_IN_MEMORY,
  ) {
    const { partitions, namespaces, operands } = shape
    this.#builders = Array.from(
      { length: partitions },
      () => new EventColumnsBuilder(namespaces, operands),
    )
    this.#spilled = this.#builders.map(() => [])
    this.#inMemoryMax = inMemoryMax
  }

  add(partition: number, event: DecodedEvent): void {
    this.#builders[partition]?.add(event)
    this.#inMemory += 1
    if (this.#inMemory >= this.#inMemoryMax) this.#spill()
  }

  /** Returns the events of a partition, which are then forgotten. */
  take(partition: number): EventColumns[] {
    const pieces = (this.#spilled[partition] ?? []).map((one) => this.#file.read(one))
    this.#spilled[partition] = []
    const last = this.#builders[partition]?.take()
    if (last !== undefined && last.count > 0) {
      this.#inMemory -= last.count
      pieces.push(last)
    }
    return pieces
  }

  close(): void {
    this.#file.close()
  }

  #spill(): void {
    for (const [partition, builder] of this.#builders.entries()) {
      if (builder.count > 0) this.#spilled[partition]?.push(this.#file.write(builder.take()))
    }
    this.#inMemory = 0
  }
}
