/** Trials of a real Google Cloud project: what an emulator cannot verify. */

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { now } from '../../pipeline/base/clock.ts'
import { messageOf } from '../../pipeline/base/errors.ts'
import { hashes64 } from '../../pipeline/base/hash.ts'
import { compact, compactionPlan } from '../../pipeline/bigquery/compact.ts'
import { landedTable } from '../../pipeline/io/inbox-source.ts'
import { arrowTable } from '../../pipeline/warehouse/arrow/arrow.ts'
import type { Commit, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import {
  batchAfter,
  billed,
  billedCommit,
  jobOf,
  resolutions,
  rowsOfBatch,
  told,
  withWarehouses,
  type Trial,
} from './scene.ts'

export const TRIALS: readonly Trial[] = [
  {
    name: '1. of two commits at once exactly one is there',
    async run(scene) {
      let wrong = 0
      for (let round = 0; round < scene.rounds; round++) {
        await withWarehouses(scene.place, 2, async (warehouses) => {
          const heads = await Promise.all(warehouses.map((warehouse) => warehouse.open()))
          const commits = heads.map((head, i) => batchAfter(head, `1-${round}-${i}`))
          const ends = await Promise.allSettled(
            warehouses.map((warehouse, i) => warehouse.commit(commits[i] as Commit)),
          )
          const won = ends.filter(({ status }) => status === 'fulfilled').length
          const there = await rowsOfBatch(scene, (heads[0]?.batch ?? 0) + 1)
          if (won !== 1 || there !== 1) wrong += 1
        })
      }
      return { isRight: wrong === 0, note: `${scene.rounds} rounds, ${wrong} wrong` }
    },
  },
  {
    name: '1b. the same by a fence that is only read, which does not keep the second out',
    async run(scene) {
      const { client, at, rounds } = scene
      const [{ batch = 0 } = {}] = await client.query('read', `select batch from ${at('fence')}`)
      let both = 0
      for (let round = 0; round < rounds; round++) {
        const id = `1b-${round}`
        const script =
          'begin transaction; ' +
          `if (select batch from ${at('fence')}) != ${String(batch)} then ` +
          "raise using message = 'FENCE_LOST'; end if; " +
          `insert into ${at('dead_letter_resolution')} (dead_letter_id) values ('${id}'); ` +
          'commit transaction;'
        await Promise.allSettled([jobOf(scene, script), jobOf(scene, script)])
        if ((await resolutions(scene, id)) === 2) both += 1
      }
      return { isRight: null, note: `${rounds} rounds, both committed in ${both}` }
    },
  },
  {
    name: '2. a fence moved during a commit keeps that commit out for good',
    async run(scene) {
      return withWarehouses(scene.place, 1, async ([warehouse]) => {
        const head = await (warehouse as Warehouse).open()
        const batch = head.batch + 1
        const committing = (warehouse as Warehouse).commit(batchAfter(head, '2')).then(
          () => 'committed',
          (thrown: unknown) => messageOf(thrown),
        )
        const bump =
          `update ${scene.at('fence')} set batch = batch + 1, run = 'bump' ` +
          `where batch = ${head.batch}`
        const bumped = await jobOf(scene, bump).then(() => 'bumped', messageOf)
        const isThere = await rowsOfBatch(scene, batch)
        const end = await committing
        await pause(5_000)
        const isThereLater = await rowsOfBatch(scene, batch)
        const stands = head.batch + isThereLater
        await jobOf(scene, `update ${scene.at('fence')} set batch = ${stands} where true`)
        return { isRight: isThere === isThereLater, note: `bump: ${bumped}; commit: ${end}` }
      })
    },
  },
  {
    name: '3. a job whose client went away is found by its id and not run again',
    async run(scene) {
      const { client, api, at, place } = scene
      const jobId = `test_${randomUUID()}`
      const query = `insert into ${at('dead_letter_resolution')} (dead_letter_id) values ('3')`
      const defaultDataset = { projectId: place.project, datasetId: place.dataset }
      await api.createQueryJob({ query, jobId, defaultDataset })
      const ending = await client.script('commit', query, jobId)
      const rows = await resolutions(scene, '3')
      return { isRight: rows === 1, note: `${ending.kind}, rows: ${rows}` }
    },
  },
  {
    name: '4. rows of a stream that was committed a moment ago are read in a transaction',
    async run({ place, client, at }) {
      return withWarehouses(place, 1, async ([warehouse]) => {
        const head = await (warehouse as Warehouse).open()
        await (warehouse as Warehouse).commit(batchAfter(head, '4'))
        const sql = `select count(*) as n from ${at('event_profile_base')} where event_id = '4'`
        const [row] = await client.query('read', sql)
        return { isRight: row?.['n'] === 1, note: `rows: ${String(row?.['n'])}` }
      })
    },
  },
  {
    name: '5. an UPDATE, in a transaction, of rows that were just streamed',
    async run(scene) {
      const script =
        `begin transaction; update ${scene.at('staged')} set content = content where true; ` +
        'rollback transaction;'
      const said = await jobOf(scene, script).then(() => 'it is done', messageOf)
      return { isRight: null, note: said.split('\n')[0] as string }
    },
  },
  {
    name: '6. what is billed',
    async run(scene) {
      const wanted = Array.from(hashes64(['a', 'b']), (hash) => String(BigInt.asIntN(64, hash)))
      const table = scene.at('profile_image')
      const byList = `select key from ${table} where k in unnest(@wanted)`
      const byJoin =
        `select key from ${table} as images ` +
        'inner join unnest(@wanted) as wanted on wanted = images.k'
      const parameters = { params: { wanted }, types: { wanted: ['INT64'] } }
      const asOf = `select * from ${scene.at('states_as_of')}(current_timestamp())`
      const notes = [
        `a commit into two tables ${await billedCommit(scene)}`,
        `a view at an instant ${await billed(scene, asOf)}`,
        `keys as a list ${await billed(scene, byList, parameters)}`,
        `keys as a join ${await billed(scene, byJoin, parameters)}`,
      ]
      return { isRight: null, note: notes.join(', ') }
    },
  },
  {
    name: '7. JavaScript in BigQuery, where nothing of this pipeline runs so far',
    async run(scene) {
      const long = 'return "x".repeat(x)'
      const instant = "timestamp '2026-03-01 00:00:00.000001+00'"
      const next = 'return String(BigInt(x) + 1n)'
      const notes = [
        `2^53 + 2: ${await told(scene, 'string', next, "'9007199254740993'")}`,
        `a microsecond: ${await told(scene, 'timestamp', 'return String(x.microsecond)', instant)}`,
        `4.9 MB: ${await told(scene, 'float64', long, '4900000')}`,
        `5.1 MB: ${await told(scene, 'float64', long, '5100000')}`,
      ]
      return { isRight: null, note: notes.join(', ') }
    },
  },
  {
    name: '8. Arrow record batches: every column type is read back as it was',
    async run({ place, client, at }) {
      return withWarehouses(place, 1, async ([warehouse]) => {
        await (warehouse as Warehouse).open()
        const message = {
          subscription_name: 'é \u{1f600}',
          message_id: randomUUID(),
          publish_time: now() - 1,
          data: Buffer.from([0, 255, 10]),
          attributes: '{"a":"b"}',
        }
        await (warehouse as Warehouse).append('landed_messages', landedTable([message]), now())
        const publication = { topic: ['8'], batch: [2 ** 53 - 1], effect_no: [-7] }
        const rows = arrowTable('effect_publication', publication, 1)
        await (warehouse as Warehouse).append('effect_publication', rows, now())
        const names = Object.keys(message).join(', ')
        const landed = await client.query(
          'read',
          `select ${names} from ${at('landed_messages')} where message_id = @id`,
          { id: { value: message.message_id, type: 'STRING' } },
        )
        const [back] = await client.query(
          'read',
          `select topic, batch, effect_no from ${at('effect_publication')}`,
        )
        const given = JSON.stringify([message, { topic: '8', batch: 2 ** 53 - 1, effect_no: -7 }])
        const found = JSON.stringify([landed[0], back])
        return { isRight: given === found, note: found }
      })
    },
  },
  {
    name: '9. the scripts of a compaction are run, and leave the views as they were',
    async run({ place, client, at }) {
      const sql = `select count(*) as n, max(recorded_by) as last from ${at('event_profile_all')}`
      const before = JSON.stringify(await client.query('read', sql))
      const plan = await compactionPlan(client, place)
      const tables = plan.tables.map((table) => ({ ...table, surplus: 1 }))
      await compact(client, place, { ...plan, tables }, () => undefined)
      const after = JSON.stringify(await client.query('read', sql))
      return { isRight: before === after, note: `${tables.length} tables, ${after}` }
    },
  },
]
