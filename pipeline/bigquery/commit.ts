/**
 * A batch → one transaction.
 *
 * 1. All rows are staged under a name nobody else uses: batch, commit, attempt. A commit's id is
 *    made when it is asked for: another batch of the same number, of whomever, is not it.
 * 2. One script: the fence moves from the batch before (a mutation, so that two commits conflict),
 *    the staged rows are counted, they go to their tables, COMMIT. A script that fails is rolled
 *    back by itself. Whether the fence moved is read from the fence, where the run's id can only
 *    be ours: the same as the count of updated rows, and every server can tell it.
 * 3. When it did not end well, or nobody can tell, the batch's own row says whether it is committed
 *    and by whom, and the fence whether it still can be. Only then, and only for a reason that
 *    passes, is it tried again, under a new name.
 */

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Table } from 'apache-arrow'
import { rowTexts } from '../warehouse/arrow-wire.ts'
import { isPassing, type BigQueryClient, type Ending } from './client.ts'
import { endsOf, FENCE, quoted, RECORDED, STAGED, stagedValue, storageOf } from './schema.ts'
import type { Stager } from './write-stream.ts'
import { now } from '../base/clock.ts'
import { imageTable } from '../warehouse/image-tables.ts'
import { assert, UserError } from '../base/errors.ts'
import type { At } from '../warehouse/view-sql.ts'
import type { Column } from '../warehouse/column.ts'
import { TABLES, type TableName } from '../warehouse/tables.ts'
import type { Commit } from '../warehouse/warehouse.ts'

const ATTEMPTS_MAX = 5
const PAUSE_MS = 1_000

/** Of two commits at once; the batch may be tried again once it is known not to be committed. */
const CONFLICT = /aborted due to concurrent|could not serialize access/i

type Parts = {
  client: BigQueryClient
  stager: Stager
  at: At
  url: string
  /** What job ids begin with. */
  name: string
}

/** A commit's rows where they are staged. */
type Stage = { id: string; stage: string; stagedAt: number; count: number }

/** A row on its way to a physical table: a JSON array of texts and nulls. */
export type StagedRow = { target: string; content: string }

/** A physical table that gets rows, and the columns they have. */
export type Target = { target: string; columns: readonly Column[] }

export type Part = Target & { rows: Table }

/** What is done together with a commit: more rows, asked for at every attempt, and statements that
 * follow once all rows are in their tables. */
export type Beside = {
  targets?: readonly Target[]
  rows?: () => AsyncIterable<StagedRow>
  statements: (commit: Commit) => string[]
}

/** Columns of the tables of ends. */
export const ENDS: readonly Column[] = [
  { name: 'row_key', type: 'uuid' },
  { name: 'superseded_because', type: 'text' },
]

export class BigQueryCommits {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Applies a batch, all of it or nothing. */
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
      const { committed, fence } = await this.#standing(commit.batch)
      if (committed === id) return
      if (committed !== null || fence !== commit.batch - 1) {
        throw new UserError(
          `${url}: another writer has committed batch ${commit.batch}; this one stops, and ` +
            'nothing of its batch is there: one writer at a time',
        )
      }
      if (attempt === ATTEMPTS_MAX || !mayPass(ending)) {
        throw new Error(`batch ${commit.batch} is not committed: ${ending.message}`)
      }
      await pause(PAUSE_MS * 2 ** (attempt - 1))
    }
  }

  /** Which commit a batch was, null when it was not, and the batch that the fence stands at. */
  async #standing(batch: number): Promise<{ committed: string | null; fence: number }> {
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

/** The beginning of a script that goes on only if the fence stands at `from`, and moves it. Whoever
 * else moves it meanwhile conflicts with this one. */
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

/** A commit's rows by the tables they go to. */
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

/** Rows as they are staged, and then others. */
export async function* rowsOf(
  parts: Part[],
  others?: AsyncIterable<StagedRow>,
): AsyncGenerator<StagedRow> {
  for (const { target, rows } of parts) {
    for (const content of rowTexts(rows)) yield { target, content }
  }
  if (others !== undefined) yield* others
}
