/**
 * Peer of the end-to-end figure: DuckDB SQL that rebuilds a few tables from the file each time, in
 * one pass. It has no corrections of late events, no journeys with states and no versions.
 */

import { DuckDBInstance } from '@duckdb/node-api'
import { elapsedMs } from '../../pipeline/base/clock.ts'

const STEPS = (file: string): string[] => [
  `create table raw as select event_id, name, occurred_at::timestamp as occurred_at, source,
     identifiers->>'anonymous_id' as anonymous_id, identifiers->>'user_id' as user_id,
     properties, context
   from read_json('${file}', format = 'newline_delimited', ignore_errors = true, columns = {
     event_id: 'varchar', name: 'varchar', occurred_at: 'varchar', source: 'varchar',
     identifiers: 'json', properties: 'json', context: 'json'})
   where event_id is not null and occurred_at like '20%'`,
  `create table events as select * from raw
   qualify row_number() over (partition by event_id order by occurred_at) = 1`,
  `create table session_events as
   select *, sum(is_new) over (partition by anonymous_id order by occurred_at, event_id
     rows unbounded preceding) as session_no
   from (select *, case when occurred_at - lag(occurred_at) over (
       partition by anonymous_id order by occurred_at, event_id) <= interval 30 minutes
     then 0 else 1 end as is_new from events)`,
  `create table stitched as select anonymous_id, max_by(user_id, occurred_at) as user_id
   from events where user_id is not null group by anonymous_id`,
  `create table sessions as select coalesce(stitched.user_id, session_events.anonymous_id) as who,
     session_events.anonymous_id, session_no, min(occurred_at) as started_at,
     max(occurred_at) as ended_at, count(*) as event_count
   from session_events left join stitched using (anonymous_id) group by all`,
  `create table transitions as select event_id, name, occurred_at, who,
     lag(name) over (partition by who order by occurred_at, event_id) as previous
   from (select *, coalesce(stitched.user_id, session_events.anonymous_id) as who
     from session_events left join stitched using (anonymous_id))`,
  `create table funnel as with steps as (select who,
       min(occurred_at) filter (name = 'Product Viewed') as step1,
       min(occurred_at) filter (name = 'Product Added') as step2,
       min(occurred_at) filter (name = 'Checkout Started') as step3,
       min(occurred_at) filter (name = 'Order Completed') as step4
     from transitions group by who)
   select count(step1) as reached1, count(*) filter (step2 >= step1) as reached2,
     count(*) filter (step3 >= step2) as reached3, count(*) filter (step4 >= step3) as reached4
   from steps`,
  'checkpoint',
]

/** Returns the milliseconds from the file to the tables. */
export async function refreshMs(file: string, database: string): Promise<number> {
  const instance = await DuckDBInstance.create(database, { threads: '2' })
  const connection = await instance.connect()
  const startedAt = elapsedMs()
  for (const step of STEPS(file)) await connection.run(step)
  const elapsed = elapsedMs() - startedAt
  connection.closeSync()
  instance.closeSync()
  return elapsed
}
