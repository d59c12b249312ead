/** Who folds parts: this thread, or others, while this one reads and commits. */

import type { Table } from 'apache-arrow'
import { tableBytes, tableOfBytes } from '../warehouse/arrow-wire.ts'
import { PartFolder, type FoldSettings, type Part } from './fold-partition.ts'
import { moduleBeside, startThread } from '../base/worker-thread.ts'
import type { Commit } from '../warehouse/warehouse.ts'

export type Folders = {
  /** Commits come in the order of the parts; a part's lines may be given away. */
  fold(part: Part): Promise<Commit>
  close(): Promise<void>
}

/** `threads` in all: 1 is this one, and of more all but this one fold. */
export function startFolders(settings: FoldSettings, threads: number): Folders {
  if (threads === 1) {
    const folder = new PartFolder(settings)
    return { fold: (part) => folder.fold(part), close: () => Promise.resolve() }
  }
  const module = moduleBeside(import.meta.url, './fold-worker.ts')
  const workers = Array.from({ length: threads - 1 }, () =>
    startThread<Part, PackedCommit>(module, settings),
  )
  let next = 0
  return {
    fold: async (part) => {
      const worker = workers[next++ % workers.length]
      const moved = [part.lines.buffer as ArrayBuffer]
      return unpackedCommit((await worker?.ask(part, moved)) as PackedCommit)
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close()))
    },
  }
}

/** A commit between threads: its tables as Arrow's own bytes. */
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
