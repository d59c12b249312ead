/**
 * Commits under faults: two writers, lost answers, jobs and appends that fail temporarily. Proxies
 * between client and server cause the faults; the project's own code is not replaced.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bigqueryWarehouse } from '../../pipeline/bigquery/warehouse.ts'
import { BigQueryClient, type Place } from '../../pipeline/bigquery/client.ts'
import { isTransient } from '../../pipeline/base/retry.ts'
import { BATCH_AT, batchOf } from '../support/batches.ts'
import { emptyDataset } from '../../scripts/emulators/empty-dataset.ts'
import { startBigQuery, type Emulator } from '../../scripts/emulators/bigquery-emulator.ts'
import { GrpcProxy, type Fate } from './grpc-proxy.ts'
import { Proxy, refuse, throughProxy } from './proxy.ts'

const MINUTES = 300_000

const emulator = await startBigQuery()
afterAll(() => emulator?.stop())

const isCommit = (body: string) => body.includes('commit transaction')

describe.skipIf(emulator === null)('commits on the BigQuery emulator', () => {
  let place: Place
  let proxy: Proxy
  let grpc: GrpcProxy
  let proxied: Place

  beforeAll(async () => {
    const { place: placeOf, url } = emulator as Emulator
    place = placeOf('commit')
    await emptyDataset(place)
    proxy = new Proxy(url)
    const ports = place.emulator as NonNullable<Place['emulator']>
    grpc = await GrpcProxy.to(`${ports.host}:${ports.grpcPort}`)
    const { port: grpcPort } = grpc
    proxied = await throughProxy({ ...place, emulator: { ...ports, grpcPort } }, proxy)
  }, MINUTES)
  afterAll(() => {
    proxy?.close()
    grpc?.close()
  })
  beforeEach(async () => {
    await emptyDataset(place)
    proxy.luck = () => false
    proxy.loss = () => false
    proxy.bodies.length = 0
    grpc.fate = () => 'passes'
    grpc.called.length = 0
  })

  const opened = async (at: Place) => {
    const warehouse = bigqueryWarehouse(at)
    await warehouse.open()
    return warehouse
  }
  const committed = async () => {
    const warehouse = await opened(place)
    const rows = await warehouse.query(
      `select batch, (select count(*) from event_profiles) as profiles from batches order by batch`,
    )
    await warehouse.close()
    return rows
  }

  test('one of two writers commits, and the other fails with one line', async () => {
    const [first, second] = [await opened(place), await opened(place)]
    const endings = await Promise.allSettled([
      first.commit(batchOf(1, ['a'])),
      second.commit(batchOf(1, ['b'])),
    ])
    expect(endings.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const [lost] = endings.flatMap((ending) =>
      ending.status === 'rejected' ? [String((ending.reason as Error).message)] : [],
    )
    expect(lost).toMatch(/^bigquery:p1\.commit: another writer has committed batch 1; this one/)
    expect(await committed()).toEqual([{ batch: 1, profiles: 1 }])
    await Promise.all([first.close(), second.close()])
  })

  test('a writer that read before another commit does not commit after it', async () => {
    const [late, prompt] = [await opened(place), await opened(place)]
    await prompt.commit(batchOf(1, ['a']))
    await prompt.commit(batchOf(2, ['b']))
    await expect(late.commit(batchOf(1, ['c']))).rejects.toThrow('another writer')
    expect((await committed()).map(({ batch }) => batch)).toEqual([1, 2])
    await Promise.all([late.close(), prompt.close()])
  })

  test('a writer fails if the fence was moved by hand', async () => {
    const warehouse = await opened(place)
    const client = await BigQueryClient.connect(place)
    await client.query('migrate', 'update fence set batch = 7 where true')
    await expect(warehouse.commit(batchOf(1, ['a']))).rejects.toThrow('another writer')
    expect(await committed()).toEqual([])
    await warehouse.close()
  })

  test('a commit whose answer is lost is looked up and not repeated', async () => {
    const warehouse = await opened(proxied)
    let losses = 0
    proxy.loss = (body) => isCommit(body) && (losses += 1) === 1
    await warehouse.commit(batchOf(1, ['a']))
    await warehouse.commit(batchOf(2, ['b']))
    const ids = proxy.bodies.filter(isCommit).map((body) => /"jobId":"([^"]+)"/.exec(body)?.[1])
    expect(ids).toHaveLength(2)
    expect(await committed()).toEqual([
      { batch: 1, profiles: 2 },
      { batch: 2, profiles: 2 },
    ])
    await warehouse.close()
  })

  test('a batch committed by another writer is not mistaken for the retried one', async () => {
    const warehouse = await opened(proxied)
    let isCut = false
    proxy.luck = (_request, _body, response) =>
      isCut && refuse(response, 404, 'notFound', 'cut off')
    proxy.loss = (body) => (isCut = isCommit(body))
    await expect(warehouse.commit(batchOf(1, ['a']))).rejects.toThrow('cut off')
    proxy.luck = () => false
    proxy.loss = () => false
    await expect(warehouse.commit(batchOf(1, ['b']))).rejects.toThrow('another writer')
    expect(await committed()).toEqual([{ batch: 1, profiles: 1 }])
    await warehouse.close()
  })

  test.each([
    ['a conflict', 400, 'invalidQuery', 'Transaction is aborted due to concurrent update'],
    ['a rate limit', 403, 'rateLimitExceeded', 'Exceeded rate limits'],
    ['too much at once', 429, 'rateLimitExceeded', 'Too many requests'],
    ['a fault of the server', 400, 'jobInternalError', 'The job encountered an internal error'],
  ])('a commit is retried under another job id after %s', async (_, code, reason, message) => {
    const warehouse = await opened(proxied)
    let failures = 0
    proxy.luck = (_request, body, response) =>
      isCommit(body) && (failures += 1) === 1 && refuse(response, code, reason, message)
    await warehouse.commit(batchOf(1, ['a']))
    const ids = proxy.bodies.filter(isCommit).map((body) => /"jobId":"([^"]+)"/.exec(body)?.[1])
    expect(ids.length).toBeGreaterThan(1)
    expect(await committed()).toEqual([{ batch: 1, profiles: 1 }])
    await warehouse.close()
  })

  test.each([
    ['a refusal', 'accessDenied', 'Access Denied: no permission'],
    ['a quota', 'quotaExceeded', 'Quota exceeded: too many DML statements'],
  ])('a commit fails without effect after permanent error %s', async (_, reason, message) => {
    const warehouse = await opened(proxied)
    proxy.luck = (_request, body, response) =>
      isCommit(body) && refuse(response, 403, reason, message)
    await expect(warehouse.commit(batchOf(1, ['a']))).rejects.toThrow(message)
    expect(proxy.bodies.filter(isCommit)).toHaveLength(1)
    proxy.luck = () => false
    expect(await committed()).toEqual([])
    await warehouse.commit(batchOf(1, ['a']))
    expect(await committed()).toEqual([{ batch: 1, profiles: 1 }])
    await warehouse.close()
  })

  /** Applies the fate to the first call of a method. */
  const atFirst = (method: string, fate: Fate) => {
    let isLeft = true
    grpc.fate = (called) => {
      if (called !== method || !isLeft) return 'passes'
      isLeft = false
      return fate
    }
  }
  const appends = () => grpc.called.filter((method) => method === 'AppendRows').length

  test.each<[string, Fate]>([
    ['whose answer is lost', 'answer lost'],
    ['whose stream is lost', { status: 14, message: 'the connection was reset' }],
  ])('an append %s is repeated, and its rows are stored once', async (_, fate) => {
    const warehouse = await opened(proxied)
    atFirst('AppendRows', fate)
    await warehouse.commit(batchOf(1, ['a']))
    expect(appends()).toBe(2)
    expect(await committed()).toEqual([{ batch: 1, profiles: 1 }])
    await warehouse.close()
  })

  test.each<[string, Fate]>([
    ['an offset too far', { status: 11, message: 'OUT_OF_RANGE' }],
    ['a quota of appends', { status: 8, message: 'Exceeds quota' }],
  ])('%s ends the attempt, and the next one stages everything again', async (_, fate) => {
    const warehouse = await opened(proxied)
    atFirst('AppendRows', fate)
    const failure = await warehouse.commit(batchOf(1, ['a'])).catch((thrown: unknown) => thrown)
    expect(isTransient(failure)).toBe(true)
    expect(await committed()).toEqual([])
    await warehouse.commit(batchOf(1, ['a']))
    expect(await committed()).toEqual([{ batch: 1, profiles: 1 }])
    await warehouse.close()
  })

  test('a missing permission to stage is reported in one line with the role', async () => {
    const warehouse = await opened(proxied)
    atFirst('CreateWriteStream', { status: 7, message: 'Permission denied on table staged' })
    await expect(warehouse.commit(batchOf(1, ['a']))).rejects.toThrow(
      /^bigquery:p1\.commit denies writing: grant roles\/bigquery\.dataEditor to the account: .*$/,
    )
    await warehouse.close()
  })

  test.each([
    ['a rate limit is retried', 'rateLimitExceeded', true, 'Exceeded rate limits'],
    [
      'an exceeded quota fails',
      'quotaExceeded',
      false,
      'bigquery:p1.commit rejects the request: Quota exceeded',
    ],
    [
      'a denied access fails',
      'accessDenied',
      false,
      'bigquery:p1.commit rejects the request: Access Denied',
    ],
  ])('of failed reads, %s', async (_, reason, passes, told) => {
    const warehouse = await opened(proxied)
    const message = told.replace(/^.*: /, '')
    proxy.luck = (_request, _body, response) => refuse(response, 403, reason, message)
    const failure = await warehouse.query('select 1').catch((thrown: unknown) => thrown)
    expect(failure).toMatchObject({ message: told })
    expect(isTransient(failure)).toBe(passes)
    await warehouse.close()
  })

  test(
    'reads more rows than one request returns',
    async () => {
      const warehouse = await opened(place)
      const names = Array.from({ length: 30_000 }, (_, i) => `event ${i} é`)
      await warehouse.commit(batchOf(1, names))
      const [row] = await warehouse.query(
        'select count(distinct event_id) as events, min(recorded_at) as at from event_profile_base',
      )
      expect(row).toEqual({ events: names.length, at: BATCH_AT + 1 })
      await warehouse.close()
    },
    MINUTES,
  )

  test('every job has labels and a limit on billed bytes', async () => {
    const warehouse = await opened(proxied)
    await warehouse.commit(batchOf(1, ['a']))
    const jobs = proxy.bodies.filter((body) => body.includes('"query"'))
    expect(jobs.length).toBeGreaterThan(2)
    for (const body of jobs) {
      expect(body).toContain('"labels":{"app":"desire-path"')
      expect(body).toContain('"maximumBytesBilled"')
    }
    await warehouse.close()
  })
})
