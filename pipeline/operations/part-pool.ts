/** Part worker pool: derives parts in this thread or in worker threads. */

import type { Table } from 'apache-arrow'
import { tableBytes, tableOfBytes } from '../warehouse/arrow/arrow-wire.ts'
import { PartDeriver, type Part, type PartSettings } from '../bulk/derive-part.ts'
import { moduleBeside, startThread } from '../base/worker-thread.ts'
import type { Commit } from '../warehouse/warehouse.ts'

export type PartPool = {
  /** Resolves to the commit of a part. */
  derive(part: Part): Promise<Commit>
  close(): Promise<void>
}

/** Starts the pool. With 1 thread, this thread derives; with more, all threads except this one. */
export function startPartPool(settings: PartSettings, threads: number): PartPool {
  if (threads === 1) {
    const deriver = new PartDeriver(settings)
    return { derive: (part) => deriver.derive(part), close: () => Promise.resolve() }
  }
  const module = moduleBeside(import.meta.url, './part-worker.ts')
  const workers = Array.from({ length: threads - 1 }, () =>
    startThread<Part, PackedCommit>(module, settings),
  )
  let next = 0
  return {
    derive: async (part) => {
      const worker = workers[next++ % workers.length]
      return unpackedCommit((await worker?.ask(part, [])) as PackedCommit)
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close()))
    },
  }
}

/** Commit in transit between threads: tables are serialized as Arrow IPC. */
export type PackedCommit = {
  [member in keyof Commit]: Commit[member] extends Map<infer Name, Table>
    ? [Name, Uint8Array][]
    : Commit[member]
}

export async function packedCommit(commit: Commit): Promise<PackedCommit> {
  const packed = async <Name>(tables: Map<Name, Table>) => {
    const all: [Name, Uint8Array][] = []
    for (const [name, table] of tables) all.push([name, await tableBytes(table)])
    return all
  }
  return {
    ...commit,
    inserts: await packed(commit.inserts),
    supersedes: await packed(commit.supersedes),
    images: await packed(commit.images),
  }
}

function unpackedCommit(commit: PackedCommit): Commit {
  const unpacked = <Name>(tables: [Name, Uint8Array][]) =>
    new Map(tables.map(([name, bytes]): [Name, Table] => [name, tableOfBytes(bytes)]))
  return {
    ...commit,
    inserts: unpacked(commit.inserts),
    supersedes: unpacked(commit.supersedes),
    images: unpacked(commit.images),
  }
}
