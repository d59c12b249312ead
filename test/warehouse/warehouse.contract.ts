/**
 * Contract of warehouses, as documented in `warehouse.ts`, run on each engine.
 */

import type { Table } from 'apache-arrow'
import { beforeEach, afterEach, describe, expect, test } from 'vitest'
import { arrowTable, supersedeTable } from '../../pipeline/warehouse/arrow/arrow.ts'
import { hash64, hashes64 } from '../../pipeline/base/hash.ts'
import { landedTable } from '../../pipeline/io/inbox-source.ts'
import type { TableName } from '../../pipeline/warehouse/tables.ts'
import type { Commit, ImageKind, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { BATCH_AT as T0, batchRow, uuids } from '../support/batches.ts'

/** A new warehouse, and a function that closes it and opens it again. */
export type Made = { warehouse: Warehouse; reopen(): Promise<Warehouse> }

/** Returns a commit with its `batches` row and the given parts. */
export function commitOf(batch: number, parts: Partial<Commit> = {}): Commit {
  const inserts = new Map(parts.inserts)
  inserts.set('batches', batchRow(batch, T0 + batch))
  return {
    batch,
    recordedAt: T0 + batch,
    supersedes: new Map(),
    images: new Map(),
    ...parts,
    inserts,
  }
}

/** Returns the profiles of events. */
export function profiles(rows: { event: string; profile: string }[]) {
  return arrowTable(
    'event_profile',
    {
      row_key: uuids(rows.map(({ event }) => event)),
      event_id: rows.map(({ event }) => event),
      profile_id: rows.map(({ profile }) => profile),
      session_id: rows.map(() => 's'),
    },
    rows.length,
  )
}

export function imagesOf(kind: ImageKind, entries: [key: string, image: string][]) {
  const keys = entries.map(([key]) => key)
  const columns = { k: hashes64(keys), key: keys, image: entries.map(([, image]) => image) }
  return new Map([[kind, arrowTable(`${kind}_image`, columns, keys.length)]])
}

const EVENTS_UNDER_WAY = 100_000

/** Returns events without content; the hash of an id is also the fingerprint. */
export function landedEvents(ids: string[]) {
  const same = <Value>(value: Value) => ids.map(() => value)
  return arrowTable(
    'events',
    {
      event_id: ids,
      name: same('A'),
      occurred_at: same(T0),
      ordinal: same(0),
      received_at: same(T0),
      source: same('web'),
      identifiers: same('{}'),
      properties: same('{}'),
      context: same('{}'),
      alias: same(null),
      unlink: same(null),
      event_hash: hashes64(ids),
      fingerprint: hashes64(ids),
    },
    ids.length,
  )
}

export function warehouseContract(name: string, make: () => Promise<Made>): void {
  describe(`${name} keeps the warehouse contract`, () => {
    let made: Made
    let warehouse: Warehouse

    beforeEach(async () => {
      made = await make()
      warehouse = made.warehouse
    })
    afterEach(() => warehouse.close())

    test('a new warehouse has no head, and opening it again changes nothing', async () => {
      expect(await warehouse.open()).toEqual({ batch: 0, recordedAt: 0, watermark: null })
      expect(await warehouse.open()).toEqual({ batch: 0, recordedAt: 0, watermark: null })
      expect(await warehouse.query('select kind from releases')).toEqual([])
    })

    test('commits and the head are there after reopening', async () => {
      await warehouse.open()
      const rows = profiles([{ event: 'e1', profile: 'p1' }])
      await warehouse.commit(commitOf(1, { inserts: new Map([['event_profile', rows]]) }))
      warehouse = await made.reopen()
      expect(await warehouse.open()).toEqual({ batch: 1, recordedAt: T0 + 1, watermark: T0 + 1 })
      expect(await warehouse.query('select event_id, profile_id from event_profiles')).toEqual([
        { event_id: 'e1', profile_id: 'p1' },
      ])
    })

    test('the latest image of a key is returned, and absent keys are absent', async () => {
      await warehouse.open()
      await warehouse.commit(
        commitOf(1, {
          images: imagesOf('stream', [
            ['a', '1'],
            ['b', '1'],
          ]),
        }),
      )
      await warehouse.commit(commitOf(2, { images: imagesOf('stream', [['a', '2']]) }))
      const images = await warehouse.images('stream', ['a', 'b', 'c'])
      expect(Object.fromEntries(images)).toEqual({ a: '2', b: '1' })
      expect((await warehouse.images('profile', ['a'])).size).toBe(0)
    })

    test('a key with the hash of another key is a different key', async () => {
      await warehouse.open()
      const image = arrowTable(
        'stream_image',
        { k: hashes64(['wanted']), key: ['other'], image: ['x'] },
        1,
      )
      await warehouse.commit(commitOf(1, { images: new Map([['stream', image]]) }))
      expect((await warehouse.images('stream', ['wanted'])).size).toBe(0)
    })

    test('segments are returned in the order of their commits', async () => {
      await warehouse.open()
      for (const batch of [1, 2, 3]) {
        const columns = { k: hashes64(['s']), stream: ['s'], segment: [`[${batch}]`] }
        const history = arrowTable('history', columns, 1)
        await warehouse.commit(commitOf(batch, { inserts: new Map([['history', history]]) }))
      }
      const segments = await warehouse.segments(['s', 'none'])
      expect(Object.fromEntries(segments)).toEqual({ s: ['[1]', '[2]', '[3]'] })
    })

    test('timers are due after one instant and up to another, each profile once', async () => {
      await warehouse.open()
      const columns = { due_at: [10, 20, 20, 30], profile_id: ['a', 'b', 'b', 'c'] }
      const timer = arrowTable('timer', columns, 4)
      await warehouse.commit(commitOf(1, { inserts: new Map([['timer', timer]]) }))
      expect(await warehouse.due(10, 20)).toEqual(['b'])
      expect((await warehouse.due(null, 20)).toSorted()).toEqual(['a', 'b'])
      expect(await warehouse.due(30, 99)).toEqual([])
    })

    test('a landed event is found by its id, with its content', async () => {
      await warehouse.open()
      const events = arrowTable(
        'events',
        {
          event_id: ['e1', '\u{1f600}é'],
          name: ['A', 'B'],
          occurred_at: [T0, -1],
          ordinal: [0, -3],
          received_at: [T0, T0],
          source: ['web', 'a source of more than twelve bytes'],
          identifiers: ['{"user_id":"u1"}', '{}'],
          properties: ['{"a":1}', '{}'],
          context: ['{}', '{}'],
          alias: [null, '["a:b","a:c"]'],
          unlink: [null, null],
          event_hash: hashes64(['e1', '\u{1f600}é']),
          fingerprint: new BigUint64Array([1n, 2n ** 64n - 1n]),
        },
        2,
      )
      await warehouse.commit(commitOf(1, { inserts: new Map([['events', events]]) }))
      const wanted = ['e1', 'e2', '\u{1f600}é']
      const fingerprints = await warehouse.fingerprints(hashes64(wanted))
      expect(fingerprints.get(hash64('e1'))).toBe(1n)
      expect(fingerprints.get(hash64('\u{1f600}é'))).toBe(2n ** 64n - 1n)
      expect(fingerprints.size).toBe(2)
      const landed = await warehouse.landed(wanted, hashes64(wanted))
      const [first, second] = landed.toSorted((a, b) => (a.event_id < b.event_id ? -1 : 1))
      expect(landed).toHaveLength(2)
      expect(first).toMatchObject({ name: 'A', occurred_at: T0, properties: '{"a":1}' })
      expect(second).toMatchObject({ ordinal: -3, occurred_at: -1, alias: '["a:b","a:c"]' })
    })

    test('a superseded version is replaced by the next, and each instant keeps its own', async () => {
      await warehouse.open()
      const insert = (profile: string): Commit['inserts'] =>
        new Map([['event_profile', profiles([{ event: 'e1', profile }])]])
      const supersedes: Commit['supersedes'] = new Map([
        [
          'event_profile',
          supersedeTable(uuids(['e1']), { values: ['identity'], codes: new Int32Array(1) }),
        ],
      ])
      await warehouse.commit(commitOf(1, { inserts: insert('p1') }))
      await warehouse.commit(commitOf(2, { inserts: insert('p2'), supersedes }))
      await warehouse.commit(commitOf(3, { supersedes }))
      warehouse = await made.reopen()
      await warehouse.open()
      await warehouse.commit(commitOf(4, { inserts: insert('p4') }))
      const at = async (batch: number) => {
        const rows = await warehouse.query(
          `select profile_id from ${warehouse.asOf('event_profiles', T0 + batch)}`,
        )
        return rows.map((row) => row['profile_id'])
      }
      expect([await at(0), await at(1), await at(2), await at(3), await at(4)]).toEqual([
        [],
        ['p1'],
        ['p2'],
        [],
        ['p4'],
      ])
      const versions = await warehouse.query(
        `select profile_id, recorded_by, superseded_by, superseded_because
         from event_profile_versions order by recorded_by`,
      )
      expect(versions.map((row) => Object.values(row).join(' '))).toEqual([
        'p1 1 2 identity',
        'p2 2 3 identity',
        'p4 4  ',
      ])
    })

    test('a failed commit leaves nothing, immediately or later', async () => {
      await warehouse.open()
      const rows = profiles([{ event: 'e1', profile: 'p1' }])
      const broken = commitOf(1, {
        inserts: new Map([
          ['event_profile', rows],
          ['session', rows],
        ]),
      })
      await expect(warehouse.commit(broken)).rejects.toThrow()
      expect(await warehouse.query('select * from event_profiles')).toEqual([])
      await warehouse.commit(commitOf(1))
      warehouse = await made.reopen()
      expect((await warehouse.open()).batch).toBe(1)
      expect(await warehouse.query('select * from event_profiles')).toEqual([])
    })

    test('lookups during a commit, if answered, return what they return after it', async () => {
      await warehouse.open()
      const history = (stream: string, segment: string) =>
        arrowTable('history', { k: hashes64([stream]), stream: [stream], segment: [segment] }, 1)
      const timer = (dueAt: number, profile: string) =>
        arrowTable('timer', { due_at: [dueAt], profile_id: [profile] }, 1)
      const inserts = (segment: string, dueAt: number, eventIds: string[]) =>
        new Map<TableName, Table>([
          ['history', history('a', segment)],
          ['timer', timer(dueAt, `p${dueAt}`)],
          ['events', landedEvents(eventIds)],
        ])
      const asked = async () => [
        (await warehouse.due(10, 30)).toSorted(),
        await warehouse.segments(['a', 'b']),
        await warehouse.fingerprints(hashes64(['e1', 'e2', 'e3'])),
        (await warehouse.landed(['e2'], hashes64(['e2']))).map((event) => event.event_id),
        await warehouse.images('stream', ['x']),
      ]
      await warehouse.commit(
        commitOf(1, {
          inserts: inserts('1', 20, ['e1']),
          images: imagesOf('stream', [['x', '1']]),
        }),
      )
      // The commit takes longer than the queries meanwhile.
      const others = Array.from({ length: EVENTS_UNDER_WAY }, (_, i) => `other ${i}`)
      const ids = ['e2', ...(warehouse.answersMeanwhile ? others : [])]
      const committed = warehouse.commit(commitOf(2, { inserts: inserts('2', 30, ids) }))
      if (!warehouse.answersMeanwhile) await committed
      const meanwhile = await asked()
      await committed
      expect(meanwhile).toEqual(await asked())
      expect(meanwhile).toEqual([
        ['p20', 'p30'],
        new Map([['a', ['1', '2']]]),
        new Map(['e1', 'e2'].map((id) => [hash64(id), hash64(id)])),
        ['e2'],
        new Map([['x', '1']]),
      ])
    })

    test('batches are numbered without gaps and recorded_at only increases', async () => {
      await warehouse.open()
      await expect(warehouse.commit(commitOf(2))).rejects.toThrow('broken invariant')
      await warehouse.commit(commitOf(1))
      await expect(warehouse.commit({ ...commitOf(2), recordedAt: T0 })).rejects.toThrow(
        'broken invariant',
      )
    })

    test('a message is unapplied until a batch applies it', async () => {
      await warehouse.open()
      const landed = ['m3', 'm1', 'm2'].map((id) => ({
        subscription_name: 's',
        message_id: id,
        publish_time: T0 + Number(id[1]),
        data: new TextEncoder().encode(`{"of":"${id}"}`),
        attributes: '{"a":"b"}',
      }))
      await warehouse.append('landed_messages', landedTable(landed), T0)
      const all = { messagesMax: 10, bytesMax: 1_000 }
      const [first, ...rest] = await warehouse.unapplied(all)
      expect({ ...first, data: new Uint8Array(first?.data ?? []) }).toEqual(landed[1])
      expect(rest.map(({ message_id }) => message_id)).toEqual(['m2', 'm3'])
      expect(await warehouse.unapplied({ ...all, messagesMax: 2 })).toHaveLength(2)
      expect(await warehouse.unapplied({ ...all, bytesMax: 1 })).toHaveLength(1)
      expect(await warehouse.unapplied({ ...all, bytesMax: 12 })).toHaveLength(2)
      const applied = arrowTable(
        'applied_messages',
        { subscription_name: ['s', 't'], message_id: ['m1', 'm2'], publish_time: [T0 + 1, T0 + 2] },
        2,
      )
      await warehouse.commit(commitOf(1, { inserts: new Map([['applied_messages', applied]]) }))
      warehouse = await made.reopen()
      expect(await warehouse.open()).toMatchObject({ batch: 1 })
      // Delivered again, and delivered to another subscription.
      await warehouse.append('landed_messages', landedTable(landed.slice(1, 2)), T0 + 9)
      const left = await warehouse.unapplied(all)
      expect(left.map(({ message_id }) => message_id)).toEqual(['m2', 'm3'])
    })

    test('hashes are the same on every machine', () => {
      expect(hash64('user_id:u-1')).toBe(hash64(['user', 'id:u-1'].join('_')))
      expect(hash64('a')).not.toBe(hash64('b'))
    })

    test('closing twice has no further effect', async () => {
      await warehouse.open()
      await warehouse.close()
      await warehouse.close()
    })

    test('an erasure is done with its commit and certificate, only planned, or rejected', async () => {
      await warehouse.open()
      const rows = [
        { event: 'e1', profile: 'user_id:a' },
        { event: 'e2', profile: 'user_id:b' },
      ]
      await warehouse.commit(
        commitOf(1, {
          inserts: new Map([['event_profile', profiles(rows)]]),
          images: imagesOf('profile', [
            ['user_id:a', 'a'],
            ['user_id:b', 'b'],
          ]),
        }),
      )
      const key = { subscription_name: 's', publish_time: T0 }
      const raw = { ...key, data: new Uint8Array([1]), attributes: '{}' }
      const sent = ['1', '2', '3'].map((message_id) => ({ ...raw, message_id }))
      await warehouse.append('landed_messages', landedTable(sent), T0)
      const none = { streams: [], emptied: [], components: [], letters: [], dues: [] }
      const messages = sent.slice(1)
      const erasure = { events: ['e1'], names: ['user_id:a'], messages, ...none }
      const rest = landedTable([{ ...raw, message_id: '2', data: new Uint8Array([2]) }])
      const certificate = (counts: object) => {
        const columns = {
          kind: ['erased'],
          salt: ['s'],
          identifier_hashes: ['[]'],
          event_hashes: ['[]'],
          counts: [JSON.stringify(counts)],
        }
        return arrowTable('erasures', columns, 1)
      }
      const erase = (isPlan: boolean) =>
        warehouse.erase(
          commitOf(2, { inserts: new Map([['landed_messages', rest]]) }),
          erasure,
          certificate,
          isPlan,
        )
      const events = () => warehouse.query('select event_id from event_profile_versions order by 1')
      const counts = { event_profile: 1, landed_messages: 2, profile_image: 1 }
      expect(await erase(true)).toEqual(counts)
      expect(await events()).toHaveLength(2)
      expect(await erase(false)).toEqual(counts)
      warehouse = await made.reopen()
      expect((await warehouse.open()).batch).toBe(2)
      expect(await events()).toEqual([{ event_id: 'e2' }])
      const images = await warehouse.images('profile', ['user_id:a', 'user_id:b'])
      expect([...images.keys()]).toEqual(['user_id:b'])
      const [row] = await warehouse.query('select kind, counts, recorded_by from erasures')
      expect(row).toEqual({ kind: 'erased', counts: JSON.stringify(counts), recorded_by: 2 })
      const landed = await warehouse.unapplied({ messagesMax: 9, bytesMax: 9 })
      expect(landed.map(({ message_id, data }) => [message_id, [...data]])).toEqual([
        ['1', [1]],
        ['2', [2]],
      ])
    })
  })
}
