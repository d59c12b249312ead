/**
 * Pinned vectors: row keys of every versioned table, and effect ids. A later version supersedes rows by
 * these keys and deduplicates effects by these ids, so it must compute the same. A change needs a new
 * warehouse; `npx vitest run test/microbatch/pinned-row-keys.test.ts --update` writes it down here.
 */

import { expect, test } from 'vitest'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { storageOf } from '../../pipeline/duckdb/stored-tables.ts'
import { runCohorts } from '../../pipeline/query/run-cohorts.ts'
import { VERSIONED_NAMES, type VersionedName } from '../../pipeline/warehouse/tables.ts'
import { Harness } from '../support/dump.ts'
import { buying } from '../support/histories/two-version-journey.ts'

const event = (
  event_id: string,
  name: string,
  minute: number,
  identifiers: object,
  more: object = {},
) =>
  JSON.stringify({
    event_id,
    name,
    occurred_at: `2026-03-01T10:0${minute}:00Z`,
    identifiers,
    source: 'web',
    ...more,
  })

/** Every part of a key that is escaped or may be absent is here. */
const LINES = [
  event('e/1', 'Product Viewed', 0, { anonymous_id: 'a%1' }),
  event('e2', 'Product Added', 1, { anonymous_id: 'a%1', user_id: 'u/1', email: 'm' }),
  event('e3', 'Product Removed', 2, { anonymous_id: 'a%1' }, { properties: { items_left: 0 } }),
  event('e4', 'Product Added', 3, { anonymous_id: 'a%1' }),
  event('e5', 'Order Completed', 4, { user_id: 'u/1' }),
  event('e6', 'Product Viewed', 5, { user_id: 'u2', email: 'm' }),
]

/** Key of a table's rows, as text. */
const WORDS: { [table in VersionedName]?: string } = {
  event_profile: 'event_id',
  session: 'session_id',
  identity: "namespace || ':' || value || ' of ' || profile_id",
  identity_conflict: "kept || ' and ' || refused",
  state: "instance_id || ' ' || state || ' ' || cast(visit as varchar)",
  transition: "instance_id || ' ' || cast(seq as varchar)",
  cycle: "instance_id || ' ' || path",
  rejection: "journey || ' ' || event_id",
  cohort_member: "cohort || ' ' || profile_id",
}

test('row keys and effect ids', async () => {
  const cohorts = [{ id: 'gone_cold', who: { journey: 'buying', in: 'cold' } }]
  const harness = new Harness(makeDefinitions({ journeys: [buying(1, '1d')], cohorts }))
  const { warehouse } = harness
  await harness.feed(LINES, 1_772_500_000_000_000)
  await runCohorts(warehouse, await warehouse.open(), cohorts)
  const keys: { [table: string]: string[] } = {}
  for (const table of VERSIONED_NAMES) {
    const rows = await warehouse.query(
      `select distinct row_key || ' ' || ${WORDS[table] ?? "''"} as line
       from ${storageOf(table)} order by line`,
    )
    keys[table] = rows.map((row) => (row['line'] as string).trim())
  }
  expect(VERSIONED_NAMES.filter((table) => keys[table]?.length === 0)).toEqual([])
  expect(keys).toMatchInlineSnapshot(`
    {
      "cohort_member": [
        "408aa3b1-beb6-1944-4faf-86451c020426 gone_cold user_id:u/1",
      ],
      "cycle": [
        "47d43271-d89f-b672-7c5e-3680fae5c172 user_id:u%2F1/e%2F1 looking > cart > looking",
      ],
      "event_profile": [
        "1b8aca82-3c00-b12c-e355-1155be01a8bb e4",
        "611d1c80-8965-1cf9-fe21-400e68123add e/1",
        "68c74680-f255-d92d-4c08-47a379261b54 e2",
        "8305b4ce-2bc1-00d7-dc6d-e392dabb4dc1 e6",
        "84958a3a-d0a5-0f66-35b4-4158f7d8e1e7 e5",
        "9e6f3187-e199-dad0-9b4f-77b3b659548f e3",
      ],
      "funnel_attempt": [
        "9d594cee-87b9-7866-4a01-b74e3d7e572d",
        "dd8e5276-793c-803a-abbe-c12c2beaf92d",
      ],
      "funnel_attempt_step": [
        "32b2f34d-2f02-aab4-67a3-a1b9be0cf558",
        "65dc6a3d-4970-2407-08e8-d2cd7d33d0eb",
        "9f6f8e23-d2e7-b00d-e365-159339082ce4",
      ],
      "identity": [
        "5c07f2fa-2e1a-757b-1f12-41b60fb4cc86 user_id:u/1 of user_id:u/1",
        "c2a45361-104f-fa33-55e3-eda312574dec email:m of user_id:u/1",
        "dd45e6dc-9bb1-098d-bed8-559f4ffb03d2 user_id:u2 of user_id:u2",
        "e503f4c7-1a9c-9a3d-0a61-076dd0c05e89 anonymous_id:a%1 of user_id:u/1",
      ],
      "identity_conflict": [
        "6d04663c-4aa7-a6ab-d337-662b0220c78f user_id:u2 and email:m",
      ],
      "rejection": [
        "0a0fc7fd-de4e-f85b-cca8-25f4693bcb67 buying e5",
      ],
      "session": [
        "611d1c80-8965-1cf9-fe21-400e68123add e/1",
        "8305b4ce-2bc1-00d7-dc6d-e392dabb4dc1 e6",
        "84958a3a-d0a5-0f66-35b4-4158f7d8e1e7 e5",
      ],
      "state": [
        "4f2f46c7-6270-06d8-4afa-b6b99d9b1dca user_id:u%2F1/e%2F1 looking 2",
        "63bcdc95-5be2-7c50-213e-5bcc80c79109 user_id:u%2F1/e%2F1 looking 1",
        "84c538ca-5e40-1b07-ef2d-4492999544ed user_id:u2/e6 looking 1",
        "97904427-5f0f-372f-4f6c-e14153503e32 user_id:u%2F1/e%2F1 cart 2",
        "a3bd2ebe-118b-1198-0bbc-9f80372275af user_id:u%2F1/e%2F1 cart 1",
        "b8dc39c6-3651-2e24-2978-4cce8a65a3a3 user_id:u%2F1/e%2F1 cold 1",
      ],
      "transition": [
        "4f2f46c7-6270-06d8-4afa-b6b99d9b1dca user_id:u%2F1/e%2F1 3",
        "63bcdc95-5be2-7c50-213e-5bcc80c79109 user_id:u%2F1/e%2F1 1",
        "84c538ca-5e40-1b07-ef2d-4492999544ed user_id:u2/e6 1",
        "97904427-5f0f-372f-4f6c-e14153503e32 user_id:u%2F1/e%2F1 4",
        "a3bd2ebe-118b-1198-0bbc-9f80372275af user_id:u%2F1/e%2F1 2",
        "b8dc39c6-3651-2e24-2978-4cce8a65a3a3 user_id:u%2F1/e%2F1 5",
      ],
    }
  `)
  const effects = await warehouse.query('select effect_id, type from effects')
  expect(effects).toMatchInlineSnapshot(`
    [
      {
        "effect_id": "ae803a81-f477-749e-790f-e4fa349723e4",
        "type": "reminder",
      },
    ]
  `)
})
