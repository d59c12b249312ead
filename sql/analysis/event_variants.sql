-- What a visit is made of: sequences of event names, the commonest first by cumulative_coverage.
-- Grain: one row per sequence of event names of a session.
-- Caveat: for logs without a journey; where events are steps, a journey whose states are named
-- after them gives path_variants, cycles and matrices as well.
with visits as (
  select
    event_profiles.session_id,
    event_profiles.profile_id,
    string_agg(events.name, ' > ' order by events.occurred_at, events.ordinal, events.event_id)
      as path,
    count(*) as length,
  from event_profiles
  inner join events
    on events.event_id = event_profiles.event_id
  group by event_profiles.session_id, event_profiles.profile_id
),
counted as (
  select
    path,
    min(length) as length,
    count(*) as session_count,
    count(distinct profile_id) as profile_count,
    min(session_id) as example_session_id,
  from visits
  group by path
)
select
  path,
  length,
  session_count,
  profile_count,
  session_count / sum(session_count) over () as coverage,
  sum(session_count) over (
    order by session_count desc, path
    rows between unbounded preceding and current row
  ) / sum(session_count) over () as cumulative_coverage,
  example_session_id,
from counted
