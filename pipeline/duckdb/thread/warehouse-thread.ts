/**
 * Thread that has a DuckDB warehouse, from the side of its callers. Calls may overlap: a lookup is
 * answered while a commit is in flight.
 */

import type { Worker } from 'node:worker_threads'
import { unpackedError, type PackedError } from '../../base/packed-error.ts'
import { moduleBeside, startWorker } from '../../base/worker-thread.ts'
import type { ReadCounts } from '../../warehouse/warehouse.ts'
import type { ServedWarehouse } from './served-warehouse.ts'

/** Names of the methods of the thread. */
type CallName = Exclude<keyof ServedWarehouse, 'reads'>

/** Call as a message. */
export type Call = { id: number; name: CallName; args: unknown[] }

export type Answer =
  | { id: number; result: unknown; reads: ReadCounts | null }
  | { id: number; failure: PackedError }
  | { notice: string }

type Waiting = { resolve(result: unknown): void; reject(error: Error): void }

export class WarehouseThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  /** Number of calls so far. */
  #calls = 0
  #failure: Error | null = null
  /** Called with a line about an erasure, see `DuckDBOptions`. */
  onNotice: (notice: string) => void = () => undefined
  /** Called with the rows read so far. */
  onReads: (reads: ReadCounts) => void = () => undefined

  constructor() {
    this.#worker = startWorker(moduleBeside(import.meta.url, './warehouse-worker.ts'), {})
    this.#worker.on('message', (answer: Answer) => this.#receive(answer))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the thread of the warehouse has ended')))
  }

  /** Calls a method. Arguments are copied. */
  ask<Name extends CallName>(
    name: Name,
    ...args: Parameters<ServedWarehouse[Name]>
  ): Promise<Awaited<ReturnType<ServedWarehouse[Name]>>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        reject(this.#failure)
        return
      }
      const id = (this.#calls += 1)
      this.#worker.postMessage({ id, name, args } satisfies Call)
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject })
      // Only a call keeps the process alive.
      this.#worker.ref()
    })
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #receive(answer: Answer): void {
    if ('notice' in answer) {
      this.onNotice(answer.notice)
      return
    }
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (this.#waiting.size === 0) this.#worker.unref()
    if ('failure' in answer) {
      waiting?.reject(unpackedError(answer.failure))
      return
    }
    if (answer.reads !== null) this.onReads(answer.reads)
    waiting?.resolve(answer.result)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#failure)
    this.#waiting.clear()
  }
}
