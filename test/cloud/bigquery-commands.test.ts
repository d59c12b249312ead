/**
 * Commands on the BigQuery emulator: they print what they print on DuckDB, and a promotion or an
 * erasure that is killed is either complete or invisible.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bigqueryWarehouse } from '../../pipeline/bigquery/warehouse.ts'
import type { Place } from '../../pipeline/bigquery/client.ts'
import { now } from '../../pipeline/base/clock.ts'
import { stateDirOf } from '../../pipeline/config.ts'
import { EMULATOR_VARIABLE } from '../../pipeline/warehouse-url.ts'
import { landedTable } from '../../pipeline/io/inbox-source.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { buying, definitionsIn } from '../support/histories/two-version-journey.ts'
import { dump } from '../support/dump.ts'
import { startAnalyzer, type Analyzer } from '../support/zetasql.ts'
import { emptyDataset } from '../../scripts/emulators/empty-dataset.ts'
import { startBigQuery, type Emulator } from '../../scripts/emulators/bigquery-emulator.ts'
import { judge, sentThrough } from './judge.ts'
import { Proxy, refuse, throughProxy } from './proxy.ts'

const MINUTES = 300_000
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const emulator = await startBigQuery()
const analyzer = await startAnalyzer([])
const proxy = new Proxy(emulator?.url ?? '')
afterAll(async () => {
  rmSync(dir, { recursive: true })
  proxy.close()
  await emulator?.stop()
  await analyzer?.stop()
})

const events = join(dir, 'events.ndjson')
writeFileSync(events, [...new Shop(5).lines(400)].join('\n'))
const old = definitionsIn(join(dir, 'old'), buying(1, '24h'))
const young = definitionsIn(join(dir, 'young'), buying(2, '2h'))
const quick = definitionsIn(join(dir, 'quick'), buying(1, '24h'), '5m')
const minutes = ['--from', '2026-03-02T08:02:00Z', '--to', '2026-03-02T08:06:00Z']
const promotion = ['promote', 'buying', '2', '--yes', '--why', 'sooner']

describe.skipIf(emulator === null)('commands on the BigQuery emulator', () => {
  const urls = [`duckdb:${join(dir, 'embedded.duckdb')}`, 'bigquery:p1.commands']
  let place: Place

  beforeAll(async () => {
    place = await throughProxy((emulator as Emulator).place('commands'), proxy)
    await emptyDataset(place)
    const fed = await onBoth('start', events, '--definitions', old)
    expect(fed).toMatchObject([{ code: 0 }, { code: 0 }])
  }, MINUTES)

  /** Starts a command in its own folder. */
  function start(script: string, args: string[]) {
    const { host, restPort, grpcPort } = place.emulator as NonNullable<Place['emulator']>
    const program = ['--import', import.meta.resolve('tsx'), resolve(`scripts/${script}.ts`)]
    return spawn(process.execPath, [...program, ...args], {
      cwd: dir,
      env: { ...process.env, [EMULATOR_VARIABLE]: `${host}:${restPort}:${grpcPort}` },
    })
  }

  async function run(script: string, args: string[]) {
    const child = start(script, args)
    const told = { stdout: '', stderr: '' }
    child.stdout.on('data', (data: Buffer) => (told.stdout += data.toString()))
    child.stderr.on('data', (data: Buffer) => (told.stderr += data.toString()))
    const [code] = await once(child, 'close')
    return { code, ...told }
  }

  const onBoth = (script: string, ...args: string[]) =>
    Promise.all(urls.map((url) => run(script, [...args, '--warehouse', url])))

  /** Removes durations and paths from output. */
  const steady = (text: string) =>
    text
      .replaceAll(/in [\d.]+ s( \([\d,]+\/s\))?/g, 'in no time')
      .replaceAll(/(duckdb|bigquery):\S+/g, 'the warehouse')
      .replaceAll(/\d+ s ago/g, 'just now')

  const commands: [script: string, ...args: string[]][] = [
    ['status'],
    ['funnel', '--steps', 'Product Viewed, Product Added, Order Completed'],
    ['explain', '--user', 'u-1'],
    ['identity', 'audit'],
    ['describe', '--journey', 'buying', '--definitions', old],
    ['replay', ...minutes, '--journey', 'buying', '--definitions', young],
    ['replay', '--journey', 'buying', '--definitions', young],
    ['release', 'diff', 'buying', '1', '2'],
    ['dead-letters', 'refeed', '--definitions', old],
    ['identity', 'link', 'user_id:u-1', 'user_id:u-7', '--yes'],
    ['forget', '--user', 'u-3', '--yes'],
    ['replay', '--all', '--definitions', quick],
    ['replay', '--all', '--yes', '--definitions', quick],
    ['verify'],
    ['replay', '--all', '--yes', '--definitions', old],
    ['verify'],
  ]
  test.each(commands.map((words) => [words.slice(0, 3).join(' '), words] as const))(
    '%s … prints the same on both warehouses',
    async (_, [script, ...args]) => {
      const [embedded, remote] = await onBoth(script, ...args)
      expect(embedded).toMatchObject({ code: 0, stderr: '' })
      expect(remote).toMatchObject({ code: 0, stderr: '' })
      expect(steady(remote?.stdout ?? '')).toBe(steady(embedded?.stdout ?? ''))
    },
    MINUTES,
  )

  test(
    'an export is the same on both warehouses',
    async () => {
      const rows = urls.map(async (url, i) => {
        const out = join(dir, `${i}.csv`)
        await run('export', ['--warehouse', url, '--table', 'states', '--out', out])
        return readFileSync(out, 'utf8').split('\n').toSorted()
      })
      const [embedded, remote] = await Promise.all(rows)
      expect(remote).toEqual(embedded)
      expect(remote?.length).toBeGreaterThan(30)
    },
    MINUTES,
  )

  const remote = ['--warehouse', urls[1] as string]
  const opened = async <T>(work: (warehouse: Warehouse) => Promise<T>): Promise<T> => {
    const warehouse = bigqueryWarehouse(place)
    await warehouse.open()
    const told = await work(warehouse)
    await warehouse.close()
    return told
  }
  /** Runs a command that is killed at a request: before it is passed on, or after it was answered. */
  const killed = async (words: string[], at: (body: string) => boolean, isAfter: boolean) => {
    const child = start(words[0] as string, [...words.slice(1), ...remote])
    const kill = (body: string) => at(body) && child.kill('SIGKILL')
    if (isAfter) proxy.loss = kill
    else proxy.luck = (_, body) => kill(body)
    const [, signal] = await once(child, 'exit')
    expect(signal).toBe('SIGKILL')
    Object.assign(proxy, { luck: () => false, loss: () => false })
  }
  const isCommit = (body: string) => body.includes('commit transaction')

  test(
    'a killed promotion is either complete or invisible',
    async () => {
      const shown = () => opened((warehouse) => dump(warehouse))
      const before = await shown()
      await killed(['release', ...promotion], isCommit, false)
      expect(await shown()).toEqual(before)
      await killed(['release', ...promotion], isCommit, true)
      const after = await shown()
      expect(new Set(after.states?.map((row) => row['version']))).toEqual(new Set([2]))
      const again = await run('release', [...promotion, ...remote])
      expect(again.stderr).toContain('error: journey buying 2 is already live')
      const back = ['rollback', 'buying', '--yes', '--why', 'back']
      expect(await run('release', [...back, ...remote])).toMatchObject({ code: 0, stderr: '' })
      expect(await shown()).toEqual(before)
    },
    MINUTES,
  )

  test(
    'a killed erasure is repeated, or completed by the next command',
    async () => {
      const lines = readFileSync(events, 'utf8').split('\n')
      const [hers, his] = ['u-4', 'u-5'].map((user) =>
        lines.filter((line) => line.includes(`"${user}"`)),
      ) as [string[], string[]]
      const raw = [hers.slice(0, 2), [hers[2], his[0]]].map((texts, n) => ({
        subscription_name: 's',
        message_id: `m${n}`,
        publish_time: now(),
        data: Buffer.from(texts.join('\n')),
        attributes: '{}',
      }))
      await opened((warehouse) => warehouse.append('landed_messages', landedTable(raw), now()))
      /** Returns which of the two people the tables still contain, and the certificates. */
      const left = () =>
        opened(async (warehouse) => {
          const landed = await warehouse.query('select data from landed_messages')
          const staged = await warehouse.query('select content from staged')
          const text = JSON.stringify([
            ...landed.map((row) => Buffer.from(row['data'] as Uint8Array).toString()),
            ...staged.map((row) => row['content']),
          ])
          const [count] = await warehouse.query('select count(*) as n from erasures')
          return [text.includes('u-4'), text.includes('u-5'), count?.['n']]
        })
      const forgetting = (user: string) => ['--user', user, '--yes']
      const killedAt = (at: (body: string) => boolean, isAfter: boolean) =>
        killed(['forget', ...forgetting('u-4')], at, isAfter)
      const [, , before] = await left()
      const stateDir = await opened(async (warehouse) => stateDirOf(warehouse) as string)
      mkdirSync(stateDir, { recursive: true })
      await killedAt((body) => body.includes('gone landed_messages'), true)
      await killedAt(isCommit, false)
      expect(await left()).toEqual([true, true, before])
      await killedAt(isCommit, true)
      expect(await left()).toEqual([false, true, Number(before) + 1])
      expect(existsSync(stateDir)).toBe(false)
      const again = await run('forget', [...forgetting('u-4'), ...remote])
      expect(again.stderr).toContain('matches no person')
      const isRaw = (body: string) => /delete from \S+landed_messages/.test(body)
      const message = 'DELETE would affect rows in the streaming buffer'
      proxy.luck = (_, body, response) =>
        isRaw(body) && !isCommit(body) && refuse(response, 400, 'invalidQuery', message)
      const refused = await run('forget', [...forgetting('u-5'), ...remote])
      expect(refused).toMatchObject({ code: 1, stdout: '' })
      expect(refused.stderr).toContain('committed, except for landed_messages')
      expect(refused.stderr).toContain(message)
      expect(await left()).toEqual([false, true, Number(before) + 2])
      proxy.luck = () => false
      expect(await left()).toEqual([false, false, Number(before) + 2])
      expect(await run('verify', remote)).toMatchObject({ code: 0, stderr: '' })
    },
    MINUTES,
  )

  test.skipIf(analyzer === null)(
    'the analyzer accepts every statement that was sent',
    async () => {
      const sent = sentThrough(proxy)
      expect(sent.size).toBeGreaterThan(50)
      const refused: string[] = []
      for (const sql of sent) {
        await judge(analyzer as Analyzer, sql).catch((thrown: Error) =>
          refused.push(`${thrown.message}: ${sql}`),
        )
      }
      expect(refused).toEqual([])
    },
    MINUTES,
  )
})
