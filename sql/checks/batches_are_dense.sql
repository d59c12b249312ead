-- A row means that batches are not numbered 1, 2, 3 … in the order they were recorded, or that a
-- watermark decreased.
with numbered as (
  select
    batch,
    recorded_at,
    watermark,
    row_number() over (order by recorded_at, batch) as place,
    max(watermark) over (
      order by recorded_at, batch
      rows between unbounded preceding and 1 preceding
    ) as watermark_before,
  from batches
)
select
  batch,
  recorded_at,
  watermark,
  place,
  watermark_before,
from numbered
where batch <> place
  or (watermark is null and watermark_before is not null)
  or watermark < watermark_before
