-- Certificates of persons who were erased: all that is left of them. Where `kind` is
-- `pseudonymised`, their events have been kept as nobody's.
-- Grain: one row per erasure.
-- Caveat: hashes are HMAC-SHA256 under the salt, of `namespace:value` and of event ids. An entry
-- `LENGTH:CHECKSUM:HASH` is a value as it is searched for in refused lines.
-- Reads: erasures_log
select
  kind,
  salt,
  identifier_hashes,
  event_hashes,
  counts,
  recorded_at,
  recorded_by,
from erasures_log
