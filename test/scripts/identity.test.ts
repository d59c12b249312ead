/** `npm run identity`: audit, and corrections that take effect retroactively. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { auditIdentity } from '../../pipeline/query/audit-identity.ts'
import { correctIdentity, profilesOf } from '../../pipeline/operations/correct-identity.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { eraseMarkOf, removeEraseMark, setEraseMark } from '../../pipeline/duckdb/erase-mark.ts'
import { startCommands } from '../support/commands.ts'
import { dump, Harness } from '../support/dump.ts'

const line = (id: string, at: string, identifiers: object) =>
  JSON.stringify({
    event_id: id,
    name: 'Seen',
    occurred_at: `2026-03-01T${at}:00Z`,
    identifiers,
  })

const LINES = [
  line('e1', '10:00', { anonymous_id: 'a1', user_id: 'u1' }),
  line('e2', '10:05', { anonymous_id: 'a2', user_id: 'u2', email: 'x@example.com' }),
  line('e3', '11:00', { anonymous_id: 'a1', user_id: 'u2' }),
  line('e4', '11:05', { anonymous_id: 'a3', user_id: 'u3', email: 'x@example.com' }),
  line('e5', '11:10', { anonymous_id: 'a3', user_id: 'u3', email: 'guest' }),
]

test('a link moves all events, and an unlink restores the previous tables', async () => {
  for (const hashed of [[], ['user_id']]) {
    const definitions = makeDefinitions({ identity: { hashed } })
    const harness = new Harness(definitions)
    await harness.feed(LINES)
    const { warehouse } = harness
    const landed = await warehouse.query(
      "select value from identities where namespace = 'user_id' order by first_seen_at limit 2",
    )
    const pair = landed.map(({ value }) => `user_id:${value}`) as [string, string]
    const others = async () => {
      const { event_profiles: rows = [] } = await dump(warehouse)
      return rows.filter((row) => !String(row['event_id']).startsWith('correction-'))
    }
    const before = await others()
    await correctIdentity(warehouse, definitions, 'link', pair)
    const [a, b] = await profilesOf(warehouse, definitions, pair)
    expect(a.profileId).toBe(b.profileId)
    expect(await others()).not.toEqual(before)
    await correctIdentity(warehouse, definitions, 'unlink', pair)
    expect(await others()).toEqual(before)
    await correctIdentity(warehouse, definitions, 'link', pair)
    expect(await others()).not.toEqual(before)
    await warehouse.close()
  }
})

test('the audit works with namespaces of any name, and without device namespaces', async () => {
  const [person, device] = ["member's no", 'till \\"1"']
  for (const devices of [[device], []]) {
    const identity = { person: [person], device: devices, exclusive: [person] }
    const definitions = makeDefinitions({ identity })
    const harness = new Harness(definitions)
    await harness.feed([
      line('e1', '10:00', { [person]: '7', [device]: 'd' }),
      line('e2', '11:00', { [person]: '8', [device]: 'd' }),
    ])
    const audit = await auditIdentity(harness.warehouse, definitions.identity)
    expect(audit.largestPersons).toMatchObject([{ identifiers: 1 }, { identifiers: 1 }])
    const contested = devices.map((name) => ({ device: `${name}:d`, persons: 2, events: 2 }))
    expect(audit.contestedDevices).toEqual(contested)
    await harness.warehouse.close()
  }
})

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))
mkdirSync(join(dir, 'definitions'))
writeFileSync(join(dir, 'definitions', 'sessions.js'), "export default { gap: '30m' }")

const run = startCommands()

test('the commands audit links, plan without writing, and correct links with --yes', async () => {
  const at = ['--warehouse', `duckdb:${join(dir, 'w.duckdb')}`]
  const identity = (...args: string[]) => run('identity', [...args, ...at])
  const start = [...at, '--definitions', join(dir, 'definitions'), '-']
  expect(await run('start', start, LINES.join('\n'))).toMatchObject({ status: 0 })
  expect(JSON.parse((await identity('audit', '--json')).stdout)).toMatchObject({
    contestedDevices: [{ device: 'anonymous_id:a1', persons: 2 }],
    refusedCount: 1,
    refusedLinks: [{ kept: 'user_id:u3', refused: 'email:x@example.com', event_id: 'e4' }],
    blockedValues: [{ identifier: 'email:guest', events: 1 }],
  })
  // A writer would complete or undo an interrupted erasure.
  const mark = { phase: 'erasing', batch: 9 } as const
  await setEraseMark(join(dir, 'w.duckdb'), mark)
  const plan = await identity('link', 'user_id:u1', 'user_id:u2')
  expect(eraseMarkOf(join(dir, 'w.duckdb'))).toEqual(mark)
  await removeEraseMark(join(dir, 'w.duckdb'))
  expect(plan).toMatchObject({ status: 0 })
  expect(plan.stdout).toContain('at 2026-03-01T11:10:00.000000Z links them to one person')
  expect(plan.stdout).toContain('nothing has been changed')
  const done = await identity('link', 'user_id:u1', 'user_id:u2', '--yes', '--json')
  expect(JSON.parse(done.stdout)).toMatchObject({
    before: [{ profileId: 'user_id:u1', eventCount: 1 }, { profileId: 'user_id:u2' }],
    after: [{ profileId: 'user_id:u1', eventCount: 4 }, { profileId: 'user_id:u1' }],
  })
  const story = (await run('explain', [...at, '--user', 'u2'])).stdout
  expect(story).toMatch(/user_id:u2, 2 events; linked to \S+ 2026-03-01 10:05:00 by e2/)
})

test('reports identifiers that cannot be corrected', async () => {
  const at = ['--warehouse', `duckdb:${join(dir, 'w.duckdb')}`]
  const refused = (a: string, b: string) => run('identity', ['link', a, b, ...at])
  expect((await refused('u1', 'user_id:u2')).stderr).toContain('u1 is not a person identifier')
  expect((await refused('user_id:u1', 'user_id:guest')).stderr).toContain('is on the ignore list')
  expect((await refused('user_id:u1', 'user_id:u9')).stderr).toContain(
    'user_id:u9 does not occur in',
  )
  expect(await refused('user_id:u1', 'user_id:u1')).toMatchObject({ status: 2 })
})
