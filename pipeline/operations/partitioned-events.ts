/**
 * Events of a whole history by partition. Beyond a number of events they are moved to a temporary
 * file, so memory does not grow with the history. The file is unlinked as soon as it is open: nothing
 * of it remains after a crash.
 */

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import type { EventColumns } from '../decode/event-batch.ts'
import { EventColumnsBuilder, type DecodedEvent } from '../decode/event-columns-builder.ts'

/** Events in memory, of all partitions. An event takes about 200 bytes. */
const EVENTS_IN_MEMORY = 1_000_000

type Segment = { from: number; length: number }

export class PartitionedEvents {
  readonly #builders: EventColumnsBuilder[]
  readonly #segments: Segment[][]
  readonly #inMemoryMax: number
  #inMemory = 0
  #file: number | null = null
  #end = 0

  constructor(
    shape: { partitions: number; namespaces: number; operands: number },
    inMemoryMax = EVENTS_IN_MEMORY,
  ) {
    const { partitions, namespaces, operands } = shape
    this.#builders = Array.from(
      { length: partitions },
      () => new EventColumnsBuilder(namespaces, operands),
    )
    this.#segments = this.#builders.map(() => [])
    this.#inMemoryMax = inMemoryMax
  }

  add(partition: number, event: DecodedEvent): void {
    this.#builders[partition]?.add(event)
    this.#inMemory += 1
    if (this.#inMemory >= this.#inMemoryMax) this.#spill()
  }

  /** Returns the events of a partition, which are then forgotten. */
  take(partition: number): EventColumns[] {
    const pieces = (this.#segments[partition] ?? []).map((segment) => this.#read(segment))
    this.#segments[partition] = []
    const last = this.#builders[partition]?.take()
    if (last !== undefined && last.count > 0) {
      this.#inMemory -= last.count
      pieces.push(last)
    }
    return pieces
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }

  #spill(): void {
    this.#file ??= unlinkedFile()
    for (const [partition, builder] of this.#builders.entries()) {
      if (builder.count === 0) continue
      const bytes = serialize(builder.take())
      writeSync(this.#file, bytes, 0, bytes.length, this.#end)
      this.#segments[partition]?.push({ from: this.#end, length: bytes.length })
      this.#end += bytes.length
    }
    this.#inMemory = 0
  }

  #read({ from, length }: Segment): EventColumns {
    const bytes = Buffer.allocUnsafe(length)
    readSync(this.#file as number, bytes, 0, length, from)
    return deserialize(bytes) as EventColumns
  }
}

function unlinkedFile(): number {
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
  try {
    return openSync(join(dir, 'events'), 'w+')
  } finally {
    rmSync(dir, { recursive: true })
  }
}
