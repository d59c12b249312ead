/**
 * Derives the parts of a history in this thread and in worker threads at the same time. Each takes
 * the next part when it is free. The parts are returned in the order in which they were cut,
 * whatever the number of threads, so rows do not depend on it.
 *
 * Memory is bounded by the parts in flight: two for each worker, two for this thread, and
 * `EVENTS_IN_FLIGHT` events.
 */

import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { moduleBeside, startThread, type Thread } from '../base/worker-thread.ts'
import { COMPONENT_EVENTS_MAX, PARTITION_EVENTS } from './components.ts'
import { PartDeriver, type BuiltPart, type Part, type PartSettings } from './derive-part.ts'
import { unpackedPart, type PackedPart } from './packed-part.ts'
import type { WorkerSettings } from './part-worker.ts'
import { oneAtATime, serveReads, type StoredReads } from './stored-reads.ts'

/** Threads that derive by default, at most. Each takes memory for its parts. */
const THREADS_DEFAULT_MAX = 4
/** A worker has its next part when it finishes one. */
const PARTS_PER_WORKER = 2
/** Parts of this thread that may wait for an earlier one of a worker. */
const PARTS_AHEAD = 2
/** Events in flight. A part with more is derived alone. */
const EVENTS_IN_FLIGHT = COMPONENT_EVENTS_MAX + PARTITION_EVENTS

/** Part with what belongs to it: a label, and the number of its events. */
export type Cut<Label> = { part: Part; label: Label; events: number }

export type PartPool = {
  /** Yields the parts with their labels, in the order of `cuts`. Must have ended before it is called
   * again. */
  derived<Label>(
    cuts: AsyncIterable<Cut<Label>> | Iterable<Cut<Label>>,
  ): AsyncGenerator<{ label: Label; built: BuiltPart }>
  /** Lets the workers derive a part whose rows are dropped: their code is compiled then. */
  warmUp(part: Part): void
  close(): Promise<void>
}

/** Returns the number of threads that derive by default. */
export function defaultThreads(): number {
  return Math.min(availableParallelism(), THREADS_DEFAULT_MAX)
}

/** Starts the pool: this thread, and workers so that `threads` derive. If a worker dies, the parts
 * after its last one are rejected with its error. Parts continue from `stored`; without it, they begin
 * with their first events. */
export function startPartPool(
  settings: PartSettings,
  threads: number,
  stored: StoredReads | null = null,
): PartPool {
  const reads = stored === null ? null : oneAtATime(stored)
  const workers = Array.from({ length: threads - 1 }, () => new PartWorker(settings, reads))
  const own = new PartDeriver(settings, reads)
  return {
    derived: (cuts) => derivedParts(cuts, workers, own),
    warmUp: (part) => {
      // A failure repeats with the first part.
      for (const worker of workers) worker.derive(part).catch(() => undefined)
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close()))
    },
  }
}

type Waiting<Label> = {
  label: Label
  events: number
  built: Promise<BuiltPart>
  isSettled: boolean
}

async function* derivedParts<Label>(
  cuts: AsyncIterable<Cut<Label>> | Iterable<Cut<Label>>,
  workers: readonly PartWorker[],
  own: PartDeriver,
): AsyncGenerator<{ label: Label; built: BuiltPart }> {
  const waiting: Waiting<Label>[] = []
  const most = workers.length * PARTS_PER_WORKER + (workers.length > 0 ? PARTS_AHEAD : 0)
  let inFlight = 0
  const begin = ({ part, label, events }: Cut<Label>, worker: PartWorker | undefined) => {
    const built = worker === undefined ? own.derive(part) : worker.derive(part)
    const one = { label, events, built, isSettled: false }
    const settle = () => {
      one.isSettled = true
    }
    built.then(settle, settle)
    waiting.push(one)
    inFlight += events
  }
  const finish = async ({ label, events, built }: Waiting<Label>) => {
    inFlight -= events
    return { label, built: await built }
  }
  for await (const cut of cuts) {
    while (waiting.length > 0 && inFlight + cut.events > EVENTS_IN_FLIGHT) {
      yield await finish(waiting.shift() as Waiting<Label>)
    }
    begin(cut, freest(workers))
    // Answers of workers arrive between the turns of the event loop.
    await turn()
    while (waiting[0]?.isSettled === true || waiting.length > most) {
      yield await finish(waiting.shift() as Waiting<Label>)
    }
  }
  for (const one of waiting) yield await finish(one)
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Returns the worker with the fewest parts, or undefined if all have enough. */
function freest(workers: readonly PartWorker[]): PartWorker | undefined {
  const [first] = workers.toSorted((a, b) => a.parts - b.parts)
  return first === undefined || first.parts >= PARTS_PER_WORKER ? undefined : first
}

class PartWorker {
  /** Number of parts that it has not finished. */
  parts = 0
  readonly #thread: Thread<Part, PackedPart>
  /** End at which its reads of stored state arrive. */
  readonly #port: MessagePort | null = null

  constructor(settings: PartSettings, reads: StoredReads | null) {
    const module = moduleBeside(import.meta.url, './part-worker.ts')
    const start = (given: WorkerSettings) =>
      startThread<Part, PackedPart>(module, given, given.reads === null ? [] : [given.reads])
    if (reads === null) {
      this.#thread = start({ settings, reads: null })
      return
    }
    const { port1, port2 } = new MessageChannel()
    serveReads(port1, reads)
    this.#port = port1
    this.#thread = start({ settings, reads: port2 })
  }

  async derive(part: Part): Promise<BuiltPart> {
    this.parts += 1
    const packed = await this.#thread.ask(part, [])
    this.parts -= 1
    return unpackedPart(packed)
  }

  async close(): Promise<void> {
    await this.#thread.close()
    this.#port?.close()
  }
}
