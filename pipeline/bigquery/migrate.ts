/**
 * Migrates the schema of a dataset. Additive and idempotent: tables and columns are added, never
 * changed or dropped; views and functions are replaced.
 */

import type { BigQueryClient, Place } from './client.ts'
import {
  addColumn,
  createFence,
  createTable,
  FENCE,
  physicalTables,
  quoted,
  viewStatements,
} from './schema.ts'
import type { At } from '../warehouse/view-sql.ts'
import { uuidOf } from '../base/hash.ts'

/** Statements per job. A job takes a second or two, a statement a fraction of one. */
const STATEMENTS_PER_JOB = 40

export type Plan = {
  /** Planned changes as text; empty if nothing is missing. */
  lines: string[]
  makesDataset: boolean
  statements: string[]
}

export function atOf({ project, dataset }: Place): At {
  return (relation) => quoted(`${project}.${dataset}.${relation}`)
}

/** Returns a hash that changes when any statement does. */
export function schemaHash(at: At): string {
  const tables = physicalTables().map((table) => createTable(table, at))
  return uuidOf([...tables, createFence(at), ...viewStatements(at)].join(';\n'))
}

/** Returns the hash of the schema that was created last, or null. */
export async function madeSchema(client: BigQueryClient, at: At): Promise<string | null> {
  if (!(await client.hasTable(FENCE))) return null
  const [row] = await client.query('read', `select schema_hash from ${at(FENCE)}`)
  return (row?.['schema_hash'] as string | undefined) ?? null
}

export async function planOf(client: BigQueryClient, at: At): Promise<Plan> {
  if ((await madeSchema(client, at)) === schemaHash(at)) {
    return { lines: [], makesDataset: false, statements: [] }
  }
  const there = await client.tables()
  const lines: string[] = there === null ? ['create the dataset'] : []
  const statements: string[] = []
  for (const table of physicalTables()) {
    const columns = there?.get(table.name)
    if (columns === undefined) {
      lines.push(`create table ${table.name}${table.tail}`)
      statements.push(createTable(table, at))
      continue
    }
    for (const { name, type } of table.columns) {
      if (columns.has(name)) continue
      lines.push(`add column ${name} to ${table.name}`)
      statements.push(addColumn(table.name, name, type, at))
    }
  }
  if (!there?.has(FENCE)) {
    lines.push(`create table ${FENCE}`)
    statements.push(createFence(at))
  }
  const views = viewStatements(at)
  lines.push(`create or replace ${views.length} views and table functions`)
  return { lines, makesDataset: there === null, statements: [...statements, ...views] }
}

export async function migrate(
  client: BigQueryClient,
  at: At,
  plan: Plan,
  location?: string,
): Promise<void> {
  if (plan.statements.length === 0) return
  if (plan.makesDataset) await client.makeDataset(location)
  const { statements } = plan
  for (let from = 0; from < statements.length; from += STATEMENTS_PER_JOB) {
    const script = statements.slice(from, from + STATEMENTS_PER_JOB).join(';\n')
    await client.query('migrate', script)
  }
  const made = `update ${at(FENCE)} set schema_hash = '${schemaHash(at)}' where true`
  await client.query('migrate', made)
}
