/** Queries for sketches of durations, by day, source and group. They read public views alone. */

import { UNIT_DAY, movesSql, unitsSql } from '../collect/moves-sql.ts'
import { VISITS_MAX } from '../bounds.ts'
import { bucketSql } from './sketch.ts'

export const SKETCHES = ['stays', 'dwells', 'rounds', 'steps', 'ages'] as const
export type SketchName = (typeof SKETCHES)[number]

/** Columns that every sketch has, and its own before them. */
const counted = (columns: string, from: string): string => {
  const grouped = `${columns}, day, source, group_value, bucket`
  return `
    select ${grouped}, count(*) as times
    from (${from}) as sketched
    group by ${grouped}`
}

/** An open one is as old as it is at the watermark. */
const WATERMARK = '(select max(watermark) as watermark from batches) as watermarks'

/** Returns the query of a sketch. `value` is as in `movesSql`. */
export function sketchSql(name: SketchName, value: string | null, level: number): string {
  switch (name) {
    case 'stays':
      return counted(
        'owner, track, path, kind',
        `
        select moves.journey as owner, moves.track, day, source, group_value,
          concat(cast(least(moves.visit, ${VISITS_MAX + 1}) as string), ' ', state) as path,
          if(exited_at is null, 'open', 'left') as kind,
          ${bucketSql('age_ms', level)} as bucket
        from (
          select journey, instance_id, track, state, visit, exited_at,
            if(
              is_final, 0,
              div(unix_micros(coalesce(exited_at, watermark)) - unix_micros(entered_at), 1000)
            ) as age_ms
          from states cross join ${WATERMARK}
        ) as stays
        inner join (${movesSql(value)}) as moves
          on moves.journey = stays.journey and moves.instance_id = stays.instance_id
          and moves.track = stays.track and moves.visit = stays.visit and to_state = state`,
      )
    case 'dwells':
      return counted(
        'owner, track, path, kind',
        `
        select journey as owner, track, day, source, group_value,
          concat(cause, ' > ', from_state, ' > ', to_state) as path, 'left' as kind,
          ${bucketSql('dwell_ms', level)} as bucket
        from (${movesSql(value)}) as moves where cause <> 'start'`,
      )
    case 'rounds':
      return counted(
        'owner, track, path, kind',
        `
        select cycles.journey as owner, cycles.track, day, source, group_value, path,
          'left' as kind, ${bucketSql('duration_ms', level)} as bucket
        from cycles inner join (${movesSql(value)}) as moves on transition_id = closed_by`,
      )
    case 'steps':
      return counted(
        'owner, funnel, path, kind',
        `
        select coalesce(funnel_units.journey, '') as owner, funnel_units.funnel, ${UNIT_DAY} as day,
          source, group_value, cast(step_no as string) as path, 'left' as kind,
          ${bucketSql('since_previous_ms', level)} as bucket
        from (${unitsSql(value)}) as funnel_units
        inner join funnel_unit_step_times
          on funnel_unit_step_times.funnel = funnel_units.funnel
          and coalesce(funnel_unit_step_times.journey, '') = coalesce(funnel_units.journey, '')
          and funnel_unit_step_times.unit = funnel_units.unit
        where since_previous_ms is not null`,
      )
    case 'ages':
      return counted(
        'owner, funnel, path, kind',
        `
        select coalesce(journey, '') as owner, funnel, ${UNIT_DAY} as day, source, group_value,
          '' as path, outcome as kind,
          ${bucketSql(
            'div(unix_micros(coalesce(ended_at, watermark)) - unix_micros(entered_at), 1000)',
            level,
          )} as bucket
        from (${unitsSql(value)}) as funnel_units cross join ${WATERMARK}`,
      )
  }
}
