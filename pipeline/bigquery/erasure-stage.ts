/**
 * Keys of the rows that an erasure deletes, staged table by table, and the end of a committed
 * erasure: deleting the streamed rows, which its transaction could not.
 */

import { randomUUID } from 'node:crypto'
import type { BigQueryClient } from './client.ts'
import { STAGED } from './schema.ts'
import { isVersioned, type TableName } from '../warehouse/tables.ts'
import type { At } from '../warehouse/view-sql.ts'

type Parts = { client: BigQueryClient; at: At }

/** Key columns of tables. */
const KEYS: { [T in TableName]?: readonly string[] } = {
  events: ['event_id'],
  effects: ['effect_id', 'kind'],
  cohort_changes: ['cohort', 'profile_id', 'recorded_by'],
  dead_letters: ['dead_letter_id'],
  dead_letter_resolution: ['dead_letter_id'],
  history: ['stream', 'recorded_by'],
  timer: ['profile_id', 'due_at', 'recorded_by'],
  landed_messages: ['subscription_name', 'message_id', 'publish_time', 'recorded_by'],
}
export const VERSION_KEY = ['row_key', 'recorded_by']
export const IMAGE_KEY = ['key', 'recorded_by']

/** Table that is streamed into: its rows are deleted after the transaction, which cannot delete
 * them. */
export const STREAMED = 'landed_messages'

/** Prefix of the stages of erasures. */
export const ERASURE = 'erasure_'
/** Target of the mark that a commit writes: the erasure is committed, raw messages remain. */
// oxlint-disable-next-line house/plain-english -- datasets contain this value
export const MARK = 'erased, but for raw messages'

/** Stage in which an erasure has written the keys to delete, and its batch. */
export type Written = { stage: string; stagedAt: number; batch: number }

/** Completes erasures that were interrupted after their commit. What fails is left to the next
 * call. */
export async function endErasures(parts: Parts): Promise<void> {
  const marks = await parts.client.query(
    'read',
    `select stage, staged_at as stagedAt, cast(content as int64) as batch from ${STAGED} ` +
      `where starts_with(stage, '${ERASURE}') and target = '${MARK}'`,
  )
  for (const mark of marks) await endErasure(parts, mark as Written)
}

/** Deletes the listed raw messages, then what was staged up to the commit, including its own rows.
 * Rows that cannot be deleted expire with their partition. Returns null, or the error if raw
 * messages cannot be deleted; nothing is deleted then. */
export async function endErasure({ client, at }: Parts, written: Written): Promise<string | null> {
  const { stagedAt, stage, batch } = written
  const script = (statements: string[]) =>
    client.script('commit', statements.join(';\n'), `${stage}_${randomUUID()}`)
  const ending = await script([
    deletion(at, written, STREAMED, keyOf(STREAMED)),
    `delete from ${at(STAGED)} where ${isWritten(written)} and target = '${MARK}'`,
  ])
  if (ending.kind !== 'done') return ending.message
  await script([
    `delete from ${at(STAGED)} where staged_at <= timestamp_micros(${stagedAt}) ` +
      `or starts_with(stage, '${batch}_')`,
  ])
  return null
}

/** Returns a statement that deletes the rows of a physical table listed for it, or for another. */
export function deletion(
  at: At,
  where: Written,
  name: string,
  key: string,
  written = name,
): string {
  return `delete from ${at(name)} where ${key} in (${listed(at, where, goneOf(written))})`
}

/** Returns the query for the keys listed under a target. */
export function listed(at: At, written: Written, target: string): string {
  return `select content from ${at(STAGED)} where ${isWritten(written)} and target = '${target}'`
}

/** Returns the condition that a row of `staged` belongs to an erasure. */
export function isWritten({ stage, stagedAt }: Written): string {
  return `staged_at = timestamp_micros(${stagedAt}) and stage = '${stage}'`
}

/** Returns the expression of a row's key, as JSON. */
export function keyOf(table: TableName): string {
  const key = KEYS[table] ?? (isVersioned(table) ? VERSION_KEY : IMAGE_KEY)
  return keyText(key)
}

/** Returns the expression of some columns, as JSON. */
export function keyText(columns: readonly string[]): string {
  return `to_json_string([${columns.map((name) => `cast(${name} as string)`).join(', ')}])`
}

/** Returns the target under which rows to delete are listed. */
export function goneOf(name: string): string {
  return `gone ${name}`
}
