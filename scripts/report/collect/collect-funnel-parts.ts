/** Funnels by day of entry and by source. */

import type { Row, Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { FUNNEL_DAYS_MAX, FUNNEL_SOURCES_MAX } from '../bounds.ts'
import type { FunnelDay, FunnelSource } from '../document.ts'
import { dayOf, grouped, number, numberOrNull, text } from '../read.ts'

const DAILY = `
  select funnel, day, converted, pending, dropped, matured_count, matured_rate
  from funnel_daily where coalesce(journey, '') = ?
  qualify row_number() over (partition by funnel order by day desc) <= ${FUNNEL_DAYS_MAX}
  order by funnel, day`

/** The sources that most entered by, in each of the three ways to attribute. */
const BY_SOURCE = `
  select funnel, touch, source, entered, converted, matured_count, matured_rate,
    count(*) over (partition by funnel, touch) as source_count
  from funnel_by_source where coalesce(journey, '') = ?
  qualify row_number() over (
    partition by funnel, touch order by entered desc, source
  ) <= ${FUNNEL_SOURCES_MAX}
  order by funnel, touch, entered desc, source`

/** Returns the days and the sources of each funnel. */
export async function collectFunnelParts(
  warehouse: Warehouse,
  journey: string | null,
): Promise<(funnel: string) => { daily: FunnelDay[]; bySource: FunnelSource[] }> {
  const daily = grouped(await warehouse.query(DAILY, [journey ?? '']), 'funnel')
  const bySource = grouped(await warehouse.query(BY_SOURCE, [journey ?? '']), 'funnel')
  return (funnel) => ({
    daily: (daily.get(funnel) ?? []).map(dayPart),
    bySource: (bySource.get(funnel) ?? []).map(sourcePart),
  })
}

const dayPart = (row: Row): FunnelDay => ({
  day: dayOf(row['day']),
  converted: number(row['converted']),
  pending: number(row['pending']),
  dropped: number(row['dropped']),
  matured: numberOrNull(row['matured_count']),
  rate: numberOrNull(row['matured_rate']),
})

const sourcePart = (row: Row): FunnelSource => ({
  touch: text(row['touch']) as FunnelSource['touch'],
  source: row['source'] === null ? null : text(row['source']),
  entered: number(row['entered']),
  converted: number(row['converted']),
  matured: numberOrNull(row['matured_count']),
  rate: numberOrNull(row['matured_rate']),
})
