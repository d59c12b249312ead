/**
 * Commits a batch in one transaction.
 *
 * 1. All rows are staged under a unique name: batch, commit, attempt. The id of a commit is created
 *    when it starts, so another batch with the same number has another id.
 * 2. One script moves the fence from the previous batch (a mutation, so that two commits conflict),
 *    counts the staged rows, copies them to their tables, and commits. A failing script is rolled
 *    back. Whether the fence moved is read from the fence: only this run can have written its id
 *    there. That equals the count of updated rows and works on every server.
 * 3. If the outcome is a failure or unknown, the row of the batch shows whether it is committed and
 *    by which commit, and the fence shows whether it still can be. Only then, and only for a
 *    transient reason, the commit is retried under a new name.
 */

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Table } from 'apache-arrow'
import { rowTexts } from '../warehouse/arrow/arrow-wire.ts'
import { isPassing, type BigQueryClient, type Ending } from './client.ts'
import { endsOf, FENCE, quoted, RECORDED, STAGED, stagedValue, storageOf } from './schema.ts'
import type { Stager } from './write-stream.ts'
import { now } from '../base/clock.ts'
import { backoffMs } from '../base/retry.ts'
import { imageTable } from '../warehouse/image-tables.ts'
import { assert, UserError } from '../base/errors.ts'
import type { At } from '../warehouse/view-sql.ts'
import type { Column } from '../warehouse/column.ts'
import { TABLES, type TableName } from '../warehouse/tables.ts'
import type { Commit } from '../warehouse/warehouse.ts'

const ATTEMPTS_MAX = 5
const PAUSE_MS = 1_000

/** Error of two simultaneous commits. The batch may be retried once it is known not to be
 * committed. */
const CONFLICT = /aborted due to concurrent|could not serialize access/i

type Parts = {
  client: BigQueryClient
  stager: Stager
  at: At
  url: string
  /** Prefix of job ids. */
  name: string
}

/** Staged rows of a commit. */
type Stage = { id: string; stage: string; stagedAt: number; count: number }

/** Row for a physical table: a JSON array of texts and nulls. */
export type StagedRow = { target: string; content: string }

/** Physical table that receives rows, and their columns. */
export type Target = { target: string; columns: readonly Column[] }

export type Part = Target & { rows: Table }

/** Additions to a commit: more rows, produced again for each attempt, and statements that run after
 * all rows are in their tables. */
export type Beside = {
  targets?: readonly Target[]
  rows?: () => AsyncIterable<StagedRow>
  statements: (commit: Commit) => string[]
}

/** Columns of the tables of superseded keys. */
export const ENDS: readonly Column[] = [
  { name: 'row_key', type: 'uuid' },
  { name: 'superseded_because', type: 'text' },
]

export class BigQueryCommits {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Applies a batch completely or not at all. */
  async apply(commit: Commit, beside?: Beside): Promise<void> {
    const { name, client, url } = this.#parts
    const parts = partsOf(commit)
    const targets = [...parts, ...(beside?.targets ?? [])]
    const statements = beside?.statements(commit) ?? []
    const id = randomUUID()
    for (let attempt = 1; ; attempt++) {
      const stage = `${commit.batch}_${id}_${attempt}`
      const stagedAt = now()
      const rows = rowsOf(parts, beside?.rows?.())
      const count = await this.#parts.stager.write(STAGED, { stage, stagedAt }, rows)
      const script = this.#script(commit, targets, statements, { id, stage, stagedAt, count })
      const ending = await client.script('commit', script, `${name}_${stage}`)
      if (ending.kind === 'done') return
      const { committed, fence } = await this.#fencePosition(commit.batch)
      if (committed === id) return
      if (committed !== null || fence !== commit.batch - 1) {
        throw new UserError(
          `${url}: another writer has committed batch ${commit.batch}; this one stops and its ` +
            'batch is not stored. Run only one writer at a time',
        )
      }
      if (attempt === ATTEMPTS_MAX || !mayPass(ending)) {
        throw new Error(`batch ${commit.batch} is not committed: ${ending.message}`)
      }
      await pause(backoffMs(attempt, PAUSE_MS))
    }
  }

  /** Returns the commit of a batch, null if it is not committed, and the batch of the fence. */
  async #fencePosition(batch: number): Promise<{ committed: string | null; fence: number }> {
    const { client, at } = this.#parts
    const committed = `select max(commit_id) from ${at('batches_log')} where batch = ${batch}`
    const sql = `select (${committed}) as committed, batch from ${at(FENCE)}`
    const [row] = await client.query('read', sql)
    return {
      committed: row?.['committed'] as string | null,
      fence: row?.['batch'] as number,
    }
  }

  #script(
    { batch, recordedAt }: Commit,
    targets: Target[],
    more: string[],
    { id, stage, stagedAt, count }: Stage,
  ): string {
    const { at } = this.#parts
    const staged = `from ${at(STAGED)} where staged_at = timestamp_micros(${stagedAt}) and stage = '${stage}'`
    const inserts = targets.map(({ target, columns }) => {
      const isBatches = target === 'batches_log'
      const names = [...columns.map(({ name }) => name), ...RECORDED]
      const values = columns.map(({ type }, place) => stagedValue(type, place))
      values.push(`timestamp_micros(${recordedAt})`, String(batch))
      if (isBatches) {
        names.push('commit_id')
        values.push(`'${id}'`)
      }
      return (
        `insert into ${at(target)} (${names.map(quoted).join(', ')}) ` +
        `select ${values.join(', ')} ${staged} and target = '${target}'`
      )
    })
    const statements = [
      ...fencedTransaction(at, batch - 1, batch),
      `if (select count(*) ${staged}) != ${count} then ` +
        "raise using message = 'STAGED_ROWS_MISSING'; end if",
      ...inserts,
      ...more,
      'commit transaction',
    ]
    return `${statements.join(';\n')};`
  }
}

/** Returns the beginning of a script that continues only if the fence is at `from`, and moves it.
 * Any other writer that moves it meanwhile conflicts. */
export function fencedTransaction(at: At, from: number, to: number): string[] {
  return [
    'declare run_id string default generate_uuid()',
    'begin transaction',
    `update ${at(FENCE)} set batch = ${to}, run = run_id where batch = ${from}`,
    `if (select count(*) from ${at(FENCE)} where run = run_id) != 1 then ` +
      "raise using message = 'FENCE_LOST'; end if",
  ]
}

function mayPass({ kind, ...ending }: Exclude<Ending, { kind: 'done' }>): boolean {
  return kind === 'lost' || isPassing(ending.reason) || CONFLICT.test(ending.message)
}

/** Returns a commit's rows by target table. */
export function partsOf(commit: Commit): Part[] {
  const own = (table: TableName, target: string, rows: Table): Part => {
    return { target, columns: TABLES[table].columns, rows }
  }
  const parts = [
    ...[...commit.inserts].map(([table, rows]) => own(table, storageOf(table), rows)),
    ...[...commit.supersedes].map(([table, rows]) => ({
      target: endsOf(table),
      columns: ENDS,
      rows,
    })),
    ...[...commit.images].map(([kind, rows]) => own(imageTable(kind), imageTable(kind), rows)),
  ]
  for (const { target, columns, rows } of parts) {
    const given = rows.schema.fields.map(({ name }) => name).join(', ')
    const wanted = columns.map(({ name }) => name).join(', ')
    assert(given === wanted, `${target} is given ${wanted}, not ${given}`)
  }
  return parts
}

/** Yields the rows of a commit as staged rows, then `others`. */
export async function* rowsOf(
  parts: Part[],
  others?: AsyncIterable<StagedRow>,
): AsyncGenerator<StagedRow> {
  for (const { target, rows } of parts) {
    for (const content of rowTexts(rows)) yield { target, content }
  }
  if (others !== undefined) yield* others
}
