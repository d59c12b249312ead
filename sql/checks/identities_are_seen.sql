-- A row means that an identifier is listed twice for a profile, was seen at a time without an
-- event, or was seen more often than there are events.
with bounds as (
  select
    count(*) as landed_count,
    min(occurred_at) as first_at,
    max(occurred_at) as last_at,
  from events
),
numbered as (
  select
    namespace,
    value,
    profile_id,
    first_seen_at,
    last_seen_at,
    event_count,
    count(*) over (partition by namespace, value, profile_id) as row_count,
  from identities
)
select
  namespace,
  value,
  profile_id,
  first_seen_at,
  last_seen_at,
  event_count,
  row_count,
from numbered
cross join bounds
where row_count > 1
  or first_seen_at > last_seen_at
  or first_seen_at < first_at
  or last_seen_at > last_at
  or event_count < 1
  or event_count > landed_count
  or (event_count = 1 and first_seen_at <> last_seen_at)
