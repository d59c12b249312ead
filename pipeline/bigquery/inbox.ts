/**
 * Finds landed messages that no batch has applied, without reading the whole landing table each
 * time.
 *
 * A lookup first reads ids, which are narrow, then those messages, by the days of their
 * publication. It goes back to an hour before the last applied message. The first lookup, and some
 * later ones, go back as far as messages can be redelivered. The anti-join gives the exact result;
 * the window only saves bytes. After a lookup without result, the free stamp of the table shows
 * whether another one is needed. The stamp may lag, so it is trusted for some minutes only.
 */

import type { BigQueryClient } from './client.ts'
import { elapsedMs, HOUR, now } from '../base/clock.ts'
import type { LandedMessage } from '../warehouse/warehouse.ts'

/** Longest time that a message can be kept and redelivered: 31 days. */
const REACH = 31 * 24 * HOUR
const OVERLAP = HOUR
const SWEEP_MS = 24 * 3_600_000
const STAMP_MS = 10 * 60_000

const LANDED = 'landed_messages'

type Bounds = { messagesMax: number; bytesMax: number }

export class BigQueryLanding {
  readonly #client: BigQueryClient
  #sweptAt: number | null = null
  /** Stamp of the table before a lookup without result, and the time of the lookup. */
  #idle: { stamp: string; at: number } | null = null

  constructor(client: BigQueryClient) {
    this.#client = client
  }

  async unapplied({ messagesMax, bytesMax }: Bounds): Promise<LandedMessage[]> {
    const stamp = await this.#client.stampOf(LANDED)
    const { at = -Infinity, stamp: idleStamp = '' } = this.#idle ?? {}
    if (stamp === idleStamp && elapsedMs() - at < STAMP_MS) return []
    const swept = this.#sweptAt
    const isSweep = swept === null || elapsedMs() - swept > SWEEP_MS
    const ids = await this.#ids(isSweep ? now() - REACH : await this.#since(), messagesMax)
    this.#idle = ids.length === 0 ? { stamp, at: elapsedMs() } : null
    // A full lookup that reached its limit continues with the next lookup.
    if (isSweep && ids.length < messagesMax) this.#sweptAt = elapsedMs()
    return ids.length === 0 ? [] : this.#messages(ids, bytesMax)
  }

  /** Returns an hour before the last applied message, which is searched in the last days. */
  async #since(): Promise<number> {
    const [row] = await this.#client.query(
      'read',
      'select max(publish_time) as last from applied_messages ' +
        'where publish_time >= timestamp_micros(@from)',
      { from: { value: now() - REACH, type: 'INT64' } },
    )
    return ((row?.['last'] as number | null) ?? now() - REACH) - OVERLAP
  }

  /** Returns the oldest messages that no batch has applied: `[id, publish_time]`. */
  async #ids(since: number, max: number): Promise<{ id: string; publishTime: number }[]> {
    const rows = await this.#client.query(
      'read',
      `select landed.message_id, landed.publish_time from ${LANDED} as landed
       left join (
         select subscription_name, message_id from applied_messages
         where publish_time >= timestamp_micros(@since)
       ) as applied
         on applied.message_id = landed.message_id
         and applied.subscription_name = landed.subscription_name
       where landed.publish_time >= timestamp_micros(@since) and applied.message_id is null
       order by landed.publish_time, landed.message_id
       limit @max`,
      { since: { value: since, type: 'INT64' }, max: { value: max, type: 'INT64' } },
    )
    return rows.map((row) => ({
      id: row['message_id'] as string,
      publishTime: row['publish_time'] as number,
    }))
  }

  async #messages(
    ids: { id: string; publishTime: number }[],
    bytesMax: number,
  ): Promise<LandedMessage[]> {
    const pages = this.#client.pages(
      'read',
      `select landed.subscription_name, landed.message_id, landed.publish_time, data, attributes
       from ${LANDED} as landed
       left join (
         select subscription_name, message_id from applied_messages
         where publish_time between timestamp_micros(@first) and timestamp_micros(@last)
       ) as applied
         on applied.message_id = landed.message_id
         and applied.subscription_name = landed.subscription_name
       where landed.publish_time between timestamp_micros(@first) and timestamp_micros(@last)
         and landed.message_id in unnest(@wanted) and applied.message_id is null
       order by landed.publish_time, landed.message_id
       limit @max`,
      {
        first: { value: ids[0]?.publishTime ?? 0, type: 'INT64' },
        last: { value: ids.at(-1)?.publishTime ?? 0, type: 'INT64' },
        wanted: { value: [...new Set(ids.map(({ id }) => id))], type: 'STRING' },
        max: { value: ids.length, type: 'INT64' },
      },
    )
    const messages: LandedMessage[] = []
    let bytes = 0
    for await (const rows of pages) {
      for (const row of rows as LandedMessage[]) {
        if (bytes >= bytesMax) return messages
        messages.push(row)
        bytes += row.data.length
      }
    }
    return messages
  }
}
