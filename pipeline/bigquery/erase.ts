/**
 * Finds and deletes the rows of an erased person (`erasure-sql.ts`) in BigQuery.
 *
 * The rows are selected outside of the transaction, over the tables and the staged rows of the
 * commit: their keys are written to `staged`, table by table. The commit's script deletes exactly
 * these. The fence guarantees that nothing was committed in between. Streamed rows, which no
 * transaction may delete, are deleted after it: the script leaves a mark, and the next writer that
 * opens the dataset completes the deletion.
 */

import { randomUUID } from 'node:crypto'
import type { BigQueryClient } from './client.ts'
import { ENDS, partsOf, rowsOf, type Beside, type Part, type StagedRow } from './commit.ts'
import {
  deletion,
  endErasure,
  ERASURE,
  goneOf,
  IMAGE_KEY,
  isWritten,
  keyOf,
  keyText,
  listed,
  MARK,
  STREAMED,
  VERSION_KEY,
  type Written,
} from './erasure-stage.ts'
import {
  allText,
  endsOf,
  pastOf,
  quoted,
  RECORDED,
  STAGED,
  stagedValue,
  storageOf,
} from './schema.ts'
import type { Stager } from './write-stream.ts'
import { now } from '../base/clock.ts'
import type { Column } from '../warehouse/column.ts'
import { IMAGE_TABLES, isImageTable } from '../warehouse/image-tables.ts'
import { BELIEF, erasedRows, listsOf } from '../warehouse/erasure-sql.ts'
import { UserError } from '../base/errors.ts'
import type { At } from '../warehouse/view-sql.ts'
import { isVersioned, TABLES, type TableName } from '../warehouse/tables.ts'
import type { Commit, ErasedRows, Erasure } from '../warehouse/warehouse.ts'

type Parts = { client: BigQueryClient; stager: Stager; at: At }

const STAGED_COLUMNS = 'staged_at, stage, target, content'

export class BigQueryErasure {
  readonly #parts: Parts
  readonly #commit: Commit
  readonly #staged: Part[]
  readonly #erasure: Erasure
  readonly #written: Written

  constructor(parts: Parts, commit: Commit, erasure: Erasure) {
    this.#parts = parts
    this.#commit = commit
    this.#staged = partsOf(commit)
    this.#erasure = erasure
    const { batch } = commit
    this.#written = { stage: `${ERASURE}${randomUUID()}`, stagedAt: now(), batch }
  }

  /** Lists the rows to delete. Returns how many per table. */
  async plan(): Promise<ErasedRows> {
    const { client, stager } = this.#parts
    await stager.write(STAGED, this.#written, rowsOf(this.#staged, listRows(this.#erasure)))
    const conditions = erasedRows(this.#commit.batch)
    const statements = conditions.map(([table, condition]) => this.#writeDown(table, condition))
    await client.query('commit', [this.#writeBelief(), ...statements].join(';\n'))
    const rows = await client.query(
      'read',
      `select target, count(*) as gone ${this.#from()} group by target`,
    )
    const counts: ErasedRows = {}
    for (const [table] of conditions) {
      const row = rows.find(({ target }) => target === goneOf(storageOf(table)))
      if (row !== undefined) counts[table] = row['gone'] as number
    }
    return counts
  }

  /** Returns the deletions that run with the commit. */
  beside(counts: ErasedRows): Beside {
    const { at } = this.#parts
    const tables = (Object.keys(counts) as TableName[]).filter((table) => table !== STREAMED)
    const version = keyText(VERSION_KEY)
    const key = keyText(IMAGE_KEY)
    const latest = keyText(['key', 'max(recorded_by)'])
    const gone = (name: string, by: string, written = name) =>
      deletion(at, this.#written, name, by, written)
    return {
      statements: () => [
        ...IMAGE_TABLES.map(
          (table) =>
            `delete from ${at(table)} where ${key} not in (` +
            `select ${latest} from ${at(table)} group by key)`,
        ),
        ...tables.flatMap((table) => [
          gone(storageOf(table), keyOf(table)),
          ...(isVersioned(table)
            ? [gone(pastOf(table), version, storageOf(table)), gone(endsOf(table), version)]
            : []),
        ]),
        `insert into ${at(STAGED)} (${STAGED_COLUMNS}) ` +
          `select ${this.#stagedRow(MARK, `'${this.#written.batch}'`)}`,
      ],
    }
  }

  /** Cleans up after the commit, or instead of it. Throws if raw messages remain. */
  async end(isDone: boolean): Promise<void> {
    const { client, at } = this.#parts
    if (!isDone) {
      const sql = `delete from ${at(STAGED)} where ${isWritten(this.#written)}`
      await client.script('commit', sql, `${this.#written.stage}_end`)
      return
    }
    const complaint = await endErasure(this.#parts, this.#written)
    if (complaint === null) return
    throw new UserError(
      'the erasure is committed, except for landed_messages; deleting them is retried whenever the ' +
        `warehouse is opened: ${complaint}`,
    )
  }

  #listed(target: string): string {
    return listed(this.#parts.at, this.#written, target)
  }

  /** Returns the rows of `staged` that belong to this erasure. */
  #from(): string {
    return `from ${this.#parts.at(STAGED)} where ${isWritten(this.#written)}`
  }

  #writeBelief(): string {
    const row = keyText(['profile_id', 'since', 'until'])
    return this.#insert(BELIEF, [['erased_belief', row]], this.#relationsOf(BELIEF))
  }

  /** Lists the rows of a table to delete; for versions, their ends too. */
  #writeDown(table: TableName, condition: string): string {
    const own = storageOf(table)
    const rows = `select * from ${own} as base where ${condition}`
    const targets: [string, string][] = [[goneOf(own), keyOf(table)]]
    if (isVersioned(table)) {
      targets.push([goneOf(endsOf(table)), keyText(['row_key', 'superseded_by'])])
    }
    return this.#insert(rows, targets, this.#relationsOf(condition, table))
  }

  /** Returns the values of a row of `staged`. */
  #stagedRow(target: string, content: string): string {
    const { stagedAt, stage } = this.#written
    return `timestamp_micros(${stagedAt}), '${stage}', '${target}', ${content}`
  }

  #insert(rows: string, targets: [target: string, content: string][], relations: string[]): string {
    const { at } = this.#parts
    const selects = targets.map(
      ([target, content]) =>
        `select ${this.#stagedRow(target, content)} ` +
        `from gone${target.endsWith('_ended') ? ' where superseded_by is not null' : ''}`,
    )
    return (
      `insert into ${at(STAGED)} (${STAGED_COLUMNS}) ` +
      `with ${[...relations, `gone as (${rows})`].join(', ')} ${selects.join(' union all ')}`
    )
  }

  /** Returns the relations that a text names as steps before it, and those of its own table. */
  #relationsOf(text: string, about?: TableName): string[] {
    const words = new Set(text.match(/\w+/g))
    const isNamed = (name: string) => words.has(name)
    const value = (place: number) => `json_value(content, '$[${place}]')`
    const number = (place: number) => `cast(${value(place)} as int64)`
    const lists: [string, string][] = [
      ...listsOf(this.#erasure).map(([list]): [string, string] => [list, `${value(0)} as item`]),
      ['due', `${value(0)} as profile_id, ${number(1)} as due`],
      ['belief', `${value(0)} as profile_id, ${number(1)} as since, ${number(2)} as until`],
    ]
    const tables = (Object.keys(TABLES) as TableName[]).filter(
      (table) => table === about || isNamed(storageOf(table)),
    )
    return [
      ...lists
        .map(([list, columns]) => [`erased_${list}`, columns] as const)
        .filter(([name]) => isNamed(name))
        .map(
          ([name, columns]) =>
            `${name} as (select ${columns} ${this.#from()} and target = '${name}')`,
        ),
      ...tables.flatMap((table) => this.#stepsOf(table)),
    ]
  }

  /** Returns a table with the rows of the commit and without those to delete. */
  #stepsOf(table: TableName): string[] {
    const name = storageOf(table)
    const remain = `where ${keyOf(table)} not in (${this.#listed(goneOf(name))})`
    if (!isVersioned(table)) {
      const latest = ' qualify row_number() over (partition by key order by recorded_by desc) = 1'
      const rows = `select * from (${this.#after(name, TABLES[table].columns)})`
      return [`${name} as (${rows} ${remain}${isImageTable(table) ? latest : ''})`]
    }
    const ends = endsOf(table)
    const of: At = (relation) => `${relation}_after`
    const rows = `select * from (${allText(table, of)})`
    return [
      `${of(name)} as (${this.#after(name, TABLES[table].columns)})`,
      `${of(ends)} as (${this.#after(ends, ENDS)})`,
      `${of(pastOf(table))} as (select * from ${this.#parts.at(pastOf(table))})`,
      `${name} as (${rows} ${remain})`,
    ]
  }

  /** Returns the rows of a physical table after the commit. */
  #after(name: string, columns: readonly Column[]): string {
    const { at } = this.#parts
    const { batch, recordedAt } = this.#commit
    const names = [...columns.map((column) => quoted(column.name)), ...RECORDED].join(', ')
    const stored = `select ${names} from ${at(name)}`
    if (!this.#staged.some(({ target }) => target === name)) return stored
    const values = columns.map(({ type }, place) => stagedValue(type, place))
    values.push(`timestamp_micros(${recordedAt})`, String(batch))
    return `${stored} union all select ${values.join(', ')} ${this.#from()} and target = '${name}'`
  }
}

/** Yields the lists and deadlines as staged rows. */
async function* listRows(erasure: Erasure): AsyncGenerator<StagedRow> {
  for (const [list, items] of listsOf(erasure)) {
    for (const item of items) yield { target: `erased_${list}`, content: JSON.stringify([item]) }
  }
  for (const { profile, due } of erasure.dues) {
    const content = JSON.stringify([profile, due === null ? null : String(due)])
    yield { target: 'erased_due', content }
  }
}
