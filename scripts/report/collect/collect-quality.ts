/** Data quality: input, refusals, and corrections. */

import { commandLine } from '../../../pipeline/base/errors.ts'
import { counted } from '../../../pipeline/base/text.ts'
import type { Row, Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { CORRECTIONS_MAX } from '../bounds.ts'
import type { CorrectionPart, DayRate, ErrorRatePart, QualityPart } from '../document-quality.ts'
import { dayOf, instantOrNull, number, numberOrNull, text, type Ask } from '../read.ts'

/** Returns why a report shows nothing, and what to do next; null if events have been accepted. */
export function emptinessOf(
  { read, landed, refused }: QualityPart,
  url: string,
): { text: string; command: string } | null {
  if (landed > 0) return null
  const all = refused.reduce((total, { count }) => total + count, 0)
  if (all === 0) {
    const command = commandLine({ script: 'start', args: ['FILE', '--warehouse', url] })
    return { text: `${url} contains no events. Load some:`, command }
  }
  const reasons = refused.map(({ name, count }) => `${name} ${count}`).join(', ')
  return {
    text:
      `No event has been accepted: of ${counted(read, 'line', 'lines')} read, ` +
      `${all} ${all === 1 ? 'was' : 'were'} refused (${reasons}). To list them with the reason:`,
    command: commandLine({ script: 'dead-letters', args: ['list', '--warehouse', url] }),
  }
}

export async function collectQuality(warehouse: Warehouse): Promise<QualityPart> {
  const [input = {}] = await warehouse.query(
    `select sum(read_count) as read_count, sum(landed_count) as landed_count,
       sum(duplicate_count) as duplicate_count from batches`,
  )
  const refused = await warehouse.query(
    `select reason, count(*) as times from dead_letters where resolved_at is null
     group by reason order by times desc, reason`,
  )
  const [conflicts = {}] = await warehouse.query(
    'select sum(conflict_count) as times from identity_conflict_kinds',
  )
  const [recognition = {}] = await warehouse.query(
    `select sum(person_session_count) / nullif(sum(session_count), 0) as rate
     from recognition_rate`,
  )
  return {
    read: number(input['read_count']),
    landed: number(input['landed_count']),
    duplicates: number(input['duplicate_count']),
    refused: refused.map((row) => ({ name: text(row['reason']), count: number(row['times']) })),
    recognitionRate: numberOrNull(recognition['rate']),
    conflicts: number(conflicts['times']),
  }
}

/** The latest day first, then the worst; one row if they are one. */
const ERROR_RATE = `
  select day, rejected_count, attempted_count, rejected_count / attempted_count as rate
  from (
    select day, sum(rejected_count) as rejected_count, max(attempted_count) as attempted_count
    from state_error_rate where journey = ? group by day
  ) as days
  qualify row_number() over (order by day desc) = 1
    or row_number() over (order by rejected_count / attempted_count desc, day desc) = 1
  order by day desc`

export async function collectErrorRate(ask: Ask): Promise<ErrorRatePart | null> {
  const [latest, worst = latest] = (await ask(ERROR_RATE)).map(dayRateOf)
  if (latest === undefined || worst === undefined) return null
  return { latest, worst }
}

function dayRateOf(row: Row): DayRate {
  return {
    day: dayOf(row['day']),
    rejected: number(row['rejected_count']),
    attempted: number(row['attempted_count']),
    rate: number(row['rate']),
  }
}

/** Days that were over when a batch changed their numbers; all batches together. */
export async function collectCorrections(
  ask: Ask,
  version: number,
): Promise<{ corrections: CorrectionPart[]; correctionsLeftOut: number }> {
  const rows = await ask(`
    select day, view_name, sum(added_count) as added, sum(removed_count) as removed,
      sum(late_event_count) as late_events, sum(identity_count) as identity_changes,
      sum(rebuilt_count) as rebuilt, max(recorded_at) as last_at, count(*) over () as all_rows
    from corrections_by_day
    where journey is null or (journey = ? and version = ${version})
    group by day, view_name
    qualify row_number() over (order by day desc, view_name) <= ${CORRECTIONS_MAX}
    order by day desc, view_name`)
  return {
    corrections: rows.map((row) => ({
      day: dayOf(row['day']),
      view: text(row['view_name']),
      added: number(row['added']),
      removed: number(row['removed']),
      lateEvents: number(row['late_events']),
      identity: number(row['identity_changes']),
      rebuilt: number(row['rebuilt']),
      recordedAt: instantOrNull(row['last_at']),
    })),
    correctionsLeftOut: number(rows[0]?.['all_rows']) - rows.length,
  }
}
