-- Namespaces between which links are refused.
-- Grain: one row per pair of namespaces: of the identifier kept and of the one refused.
-- Caveat: a refused pair counts once, at its first refusal.
-- Reads: identity_conflicts
select
  substr(kept, 1, strpos(kept, ':') - 1) as kept_namespace,
  substr(refused, 1, strpos(refused, ':') - 1) as refused_namespace,
  count(*) as conflict_count,
  count(distinct kept) as kept_count,
  count(distinct refused) as refused_count,
  min(occurred_at) as first_at,
  max(occurred_at) as last_at,
from identity_conflicts
group by kept_namespace, refused_namespace
