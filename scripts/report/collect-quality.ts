/** What the numbers rest on: what came in, what was refused, and what was restated. */

import type { Row, Warehouse } from '../../pipeline/warehouse.ts'
import { CORRECTIONS_MAX, DAYS_MAX } from './bounds.ts'
import type { ErrorRatePart, QualityPart } from './document.ts'
import { dayOf, grouped, number, numberOrNull, text } from './read.ts'

export async function collectQuality(
  warehouse: Warehouse,
  journeys: string[],
): Promise<QualityPart> {
  const [input = {}] = await warehouse.query(
    `select sum(read_count) as read_count, sum(landed_count) as landed_count,
       sum(duplicate_count) as duplicate_count from batches`,
  )
  const refused = await warehouse.query(
    `select reason, count(*) as times from dead_letters where resolved_at is null
     group by reason order by times desc, reason`,
  )
  const [conflicts = {}] = await warehouse.query('select count(*) as times from identity_conflicts')
  const [recognition = {}] = await warehouse.query(
    `select sum(recognised_count) / nullif(sum(session_count), 0) as rate from recognition_rate`,
  )
  return {
    read: number(input['read_count']),
    landed: number(input['landed_count']),
    duplicates: number(input['duplicate_count']),
    refused: refused.map((row) => ({ name: text(row['reason']), count: number(row['times']) })),
    recognitionRate: numberOrNull(recognition['rate']),
    conflicts: number(conflicts['times']),
    corrections: [],
    correctionsLeftOut: CORRECTIONS_MAX - CORRECTIONS_MAX,
    errorRates: await errorRates(warehouse, journeys),
  }
}

async function errorRates(warehouse: Warehouse, journeys: string[]): Promise<ErrorRatePart[]> {
  const rows = await warehouse.query(
    `select journey, day, sum(rejected_count) as rejected, max(attempted_count) as attempted
     from state_error_rate group by journey, day order by journey, day`,
  )
  const byJourney = grouped(rows, 'journey')
  return journeys.flatMap((journey): ErrorRatePart[] => {
    const latest = (byJourney.get(journey) ?? []).slice(-DAYS_MAX)
    const column = (name: string) => latest.map((row: Row) => number(row[name]))
    return latest.length === 0
      ? []
      : [
          {
            journey,
            days: latest.map((row) => dayOf(row['day'])),
            rejected: column('rejected'),
            attempted: column('attempted'),
          },
        ]
  })
}
