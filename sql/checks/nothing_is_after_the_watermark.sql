-- A row means that something happened after the watermark of the last batch.
with watermarks as (
  select max(watermark) as watermark from batches
),
happened as (
  select 'events' as view_name, event_id as row_id, occurred_at from events
  union all
  select 'transitions' as view_name, instance_id as row_id, occurred_at from transitions
)
select
  view_name,
  row_id,
  occurred_at,
  watermark,
from happened
cross join watermarks
where occurred_at > watermark
