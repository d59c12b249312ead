-- Certificates of erased persons: all that is left of them. If `kind` is `pseudonymised`, their
-- events were kept under pseudonyms.
-- Grain: one row per erasure.
-- Caveat: hashes are HMAC-SHA256 with the salt, of `namespace:value` and of event ids. An entry
-- `LENGTH:CHECKSUM:HASH` is the form of a value that is searched for in refused lines.
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
