-- Share of events, sessions and profiles that belong to known persons.
-- Grain: one row per UTC day and source, of sessions by their start and the source of their first
-- event.
-- Caveat: a profile is known if it is named at any time, also later. Profiles count once per day
-- and source. A person's namespace is one of the first eight in the identity definition.
-- Reads: releases, sessions
with definitions as (
  select content
  from releases
  where kind = 'identity' and action = 'registered'
  qualify row_number() over (order by recorded_at desc) = 1
),
persons as (
  select
    trim(json_value(content, '$.person[0]'), '"') as first_namespace,
    trim(json_value(content, '$.person[1]'), '"') as second_namespace,
    trim(json_value(content, '$.person[2]'), '"') as third_namespace,
    trim(json_value(content, '$.person[3]'), '"') as fourth_namespace,
    trim(json_value(content, '$.person[4]'), '"') as fifth_namespace,
    trim(json_value(content, '$.person[5]'), '"') as sixth_namespace,
    trim(json_value(content, '$.person[6]'), '"') as seventh_namespace,
    trim(json_value(content, '$.person[7]'), '"') as eighth_namespace,
  from definitions
),
visits as (
  select
    div(unix_micros(started_at), 86400000000) as day_no,
    source,
    profile_id,
    event_count,
    coalesce(
      substr(profile_id, 1, strpos(profile_id, ':') - 1) in (
        first_namespace, second_namespace, third_namespace, fourth_namespace,
        fifth_namespace, sixth_namespace, seventh_namespace, eighth_namespace
      ),
      false
    ) as is_person,
  from sessions
  cross join persons
),
counted as (
  select
    day_no,
    source,
    cast(sum(event_count) as int64) as event_count,
    cast(sum(if(is_person, event_count, 0)) as int64) as person_event_count,
    count(*) as session_count,
    countif(is_person) as person_session_count,
    count(distinct profile_id) as profile_count,
    count(distinct if(is_person, profile_id, null)) as person_count,
  from visits
  group by day_no, source
)
select
  date_from_unix_date(day_no) as day,
  source,
  event_count,
  person_event_count,
  person_event_count / event_count as event_rate,
  session_count,
  person_session_count,
  person_session_count / session_count as session_rate,
  profile_count,
  person_count,
  person_count / profile_count as profile_rate,
from counted
