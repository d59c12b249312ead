/**
 * Compaction: moves rows that accumulate with every batch to where readers do not pay for them.
 *
 * - Superseded versions of months before the watermark move from `x_base` to `x_past`, each with
 *   its end. Views as of any instant stay readable; current views read a table with little else.
 * - All images of a key except the latest are deleted. Only the latest is ever read.
 *
 * No view changes, currently or as of any instant. Each table is one transaction under the fence of
 * commits: a batch that commits between the plan and a table stops the compaction, and a commit
 * that conflicts with it is aborted and retried. Completed tables stay compacted; the next
 * compaction continues. None of these tables is streamed into, because streamed rows cannot be
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

/** Table, and how many of its rows can be moved or deleted. */
export type Surplus = { table: string; rows: number; surplus: number; statements: string[] }

export type CompactionPlan = {
  /** Batch of the plan. The plan is valid while it is the last batch. */
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

/** Carries out a plan. Reports each table when it is done. */
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
        `bigquery:${place.project}.${place.dataset}: the compaction stopped at ${table.table}: ` +
          `${why}; completed tables stay compacted, run the same command again for the rest`,
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
