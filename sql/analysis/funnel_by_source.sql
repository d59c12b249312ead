-- Funnels by source, attributed in three ways.
-- Grain: one row per funnel, touch and source.
-- Caveat: touch entry is the source of the entering event; first is that of the profile's first
-- session; last is that of its last session that began before the conversion, or before the entry
-- without a conversion. Counts are of the funnel's unit (see funnel_units). An unknown source is
-- null. Rate and interval are as in funnel_conversion.
-- Reads: funnel_units, sessions
with touches as (
  select 'entry' as touch
  union all select 'first'
  union all select 'last'
),
first_touches as (
  select profile_id, source as first_source from sessions where session_no = 1
),
last_touches as (
  select
    funnel_units.funnel,
    funnel_units.journey,
    unit,
    sessions.source as last_source,
  from funnel_units
  inner join sessions
    on sessions.profile_id = funnel_units.profile_id
    and sessions.started_at <= coalesce(converted_at, entered_at)
  qualify row_number() over (
    partition by funnel_units.funnel, funnel_units.journey, unit order by session_no desc
  ) = 1
),
touched as (
  select
    funnel_units.funnel,
    funnel_units.journey,
    version,
    count_by,
    source as entry_source,
    first_source,
    last_source,
    outcome,
    within_ms,
    is_matured,
    options,
  from funnel_units
  left join first_touches on first_touches.profile_id = funnel_units.profile_id
  left join last_touches
    on last_touches.funnel = funnel_units.funnel
    and coalesce(last_touches.journey, '') = coalesce(funnel_units.journey, '')
    and last_touches.unit = funnel_units.unit
),
attributed as (
  select
    funnel,
    journey,
    version,
    count_by,
    touch,
    if(touch = 'entry', entry_source, if(touch = 'first', first_source, last_source)) as source,
    outcome,
    within_ms,
    is_matured,
    options,
  from touched
  cross join touches
),
counted as (
  select
    funnel,
    journey,
    version,
    count_by,
    touch,
    source,
    count(outcome) as entered,
    countif(outcome = 'converted') as converted,
    countif(outcome = 'dropped') as dropped,
    countif(outcome = 'pending') as pending,
    if(max(within_ms) is null, null, countif(is_matured)) as matured_count,
    if(
      max(within_ms) is null, null, countif(is_matured and outcome = 'converted')
    ) as matured_converted_count,
    nullif(countif(is_matured), 0) as matured_known,
    any_value(options) as options,
  from attributed
  group by funnel, journey, version, count_by, touch, source
)
select
  funnel,
  journey,
  version,
  count_by,
  touch,
  source,
  entered,
  converted,
  dropped,
  pending,
  converted / entered as rate_of_all,
  matured_count,
  matured_converted_count,
  matured_converted_count / matured_known as matured_rate,
  -- Include: wilson
  options,
from counted
