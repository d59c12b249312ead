-- A row means that a session of a stream begins before the previous one has ended.
with walked as (
  select
    stream,
    session_id,
    started_at,
    started_because,
    lag(ended_at) over (
      partition by stream
      order by started_at, ended_at, session_id
    ) as previous_ended_at,
  from sessions
)
select
  stream,
  session_id,
  started_at,
  started_because,
  previous_ended_at,
from walked
where started_at < previous_ended_at
