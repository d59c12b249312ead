/**
 * Compaction: what every batch leaves behind is put where readers do not pay for it.
 *
 * - Versions that have ended, of months that the watermark has passed, move from `x_base` to
 *   `x_past`, each with its end. What was believed at any instant stays readable; what is believed
 *   now is read from a table that has little else.
 * - Of the images of a key all but the latest are deleted. Only the latest is ever read.
 *
 * No view gives another row, then or now. One table is one transaction under the fence that commits
 * move, so that it never meets a batch half way: a batch that commits between the plan and a table
 * stops the compaction, and a commit that runs into it is aborted and tries again. What is done
 * stays done; run again, it goes on. No table here is ever streamed into, or its rows could not be
 * deleted.
 */

import { randomUUID } from 'node:crypto'
import type { BigQueryClient, Place } from './client.ts'
import { fencedTransaction } from './commit.ts'
import { atOf } from './migrate.ts'
import { endingText, endsOf, FENCE, monthsOf, pastOf, quoted } from './schema.ts'
import { imageTable } from '../warehouse/image-tables.ts'
import { UserError } from '../base/errors.ts'
import { SUPERSEDED } from '../warehouse/public-views.ts'
import { storedColumns, type At } from '../warehouse/view-sql.ts'
import { VERSIONED_NAMES, type VersionedName } from '../warehouse/tables.ts'
import { IMAGE_KINDS, type ImageKind } from '../warehouse/warehouse.ts'

/** A table, and how many of its rows can be put aside. */
export type Surplus = { table: string; rows: number; surplus: number; statements: string[] }

export type CompactionPlan = {
  /** The batch that the plan was made after: it holds as long as this is the last. */
  batch: number
  tables: Surplus[]
}

export async function compactionPlan(
  client: BigQueryClient,
  place: Place,
): Promise<CompactionPlan> {
  const at = atOf(place)
  const [head] = await client.query(
    'compact',
    `select batch, (select timestamp_trunc(max(watermark), month) from ${at('batches_log')})
       as closed_before from ${at(FENCE)}`,
  )
  const closedBefore = (head?.['closed_before'] as number | null) ?? 0
  const parts = [
    ...VERSIONED_NAMES.map((table) => pastPart(table, closedBefore, at)),
    ...IMAGE_KINDS.map((kind) => imagePart(kind, at)),
  ]
  const counts = await client.query(
    'compact',
    parts.map(({ table, count }) => `select '${table}' as name, ${count}`).join(' union all '),
  )
  const tables = parts.map(({ table, statements }): Surplus => {
    const row = counts.find(({ name }) => name === table)
    const [rows, surplus] = [row?.['row_count'] as number, row?.['surplus_count'] as number]
    return { table, rows, surplus, statements }
  })
  return { batch: head?.['batch'] as number, tables }
}

/** Carries out a plan where there is something to put aside; tells of each table that is done. */
export async function compact(
  client: BigQueryClient,
  place: Place,
  { batch, tables }: CompactionPlan,
  onTable: (table: Surplus) => void,
): Promise<void> {
  const at = atOf(place)
  for (const table of tables.filter(({ surplus }) => surplus > 0)) {
    const script = [
      ...fencedTransaction(at, batch, batch),
      ...table.statements,
      'commit transaction',
    ]
    const jobId = `${place.dataset}_compact_${table.table}_${randomUUID()}`
    const ending = await client.script('compact', `${script.join(';\n')};`, jobId)
    if (ending.kind !== 'done') {
      const [fence] = await client.query('compact', `select batch from ${at(FENCE)}`)
      const isOvertaken = fence?.['batch'] !== batch
      const why = isOvertaken ? 'another writer has committed a batch' : ending.message
      throw new UserError(
        `bigquery:${place.project}.${place.dataset}: the compaction stops at ${table.table}: ` +
          `${why}; what is done is done, run it again for the rest`,
      )
    }
    onTable(table)
  }
}

type Part = { table: string; count: string; statements: string[] }

function pastPart(table: VersionedName, closedBefore: number, at: At): Part {
  const month = monthsOf(table)
  const base = at(`${table}_base`)
  const isClosed = month === null ? 'true' : `${month} < timestamp_micros(${closedBefore})`
  const ended = `select * from (${endingText(table, 'inner', at)}) where ${isClosed}`
  const columns = [...storedColumns(table), ...SUPERSEDED].map(quoted).join(', ')
  const moving = quoted(`${table}_moving`)
  return {
    table,
    count:
      `(select count(*) from ${base}) as row_count, ` +
      `(select count(*) from (${ended})) as surplus_count`,
    statements: [
      `create temp table ${moving} as ${ended}`,
      `insert into ${at(pastOf(table))} (${columns}) select ${columns} from ${moving}`,
      `delete from ${base} as base where ${isClosed} and exists (select 1 from ${moving} ` +
        'as moving where moving.row_key = base.row_key and moving.recorded_by = base.recorded_by)',
      `delete from ${at(endsOf(table))} as ended where exists (select 1 from ${moving} as moving ` +
        'where moving.row_key = ended.row_key and moving.superseded_by = ended.recorded_by)',
    ],
  }
}

function imagePart(kind: ImageKind, at: At): Part {
  const table = imageTable(kind)
  return {
    table,
    count:
      `(select count(*) from ${at(table)}) as row_count, ` +
      `(select count(*) - count(distinct key) from ${at(table)}) as surplus_count`,
    statements: [
      `delete from ${at(table)} as stored where exists (select 1 from (select key, ` +
        `max(recorded_by) as latest from ${at(table)} group by key) as newest ` +
        'where newest.key = stored.key and newest.latest > stored.recorded_by)',
    ],
  }
}
