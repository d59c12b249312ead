/**
 * Outbox publisher: sends due effects and retractions to a topic after their commit, at least once
 * and in order for each instance.
 *
 * The publish position is a row of `effect_publication`, written after the topic accepts a page.
 * After a crash in between, the page is published again; receivers deduplicate by `effect_id` and
 * `kind`. Effects from before the first publication to a topic are not sent.
 */

import { arrowTable } from '../warehouse/arrow/arrow.ts'
import { formatInstant, now } from '../base/clock.ts'
import { uuidOf } from '../base/hash.ts'
import { retrying, type Patience } from '../base/retry.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

const PAGE_ROWS = 1_000
/** Larger than the number of any effect in a batch. */
const BATCH_END = Number.MAX_SAFE_INTEGER

/** Message of one effect. Messages with the same `orderingKey` must arrive in the order given. */
export type EffectMessage = {
  data: Buffer
  attributes: { effect_id: string; kind: string; type: string; journey: string }
  orderingKey: string
}

/** Sink for effects. `publish` resolves when all messages are accepted; after a failure it is
 * called again with the same messages. `pubsub-sink.ts` implements it. */
export type EffectTopic = { name: string; publish(messages: EffectMessage[]): Promise<void> }

type Place = { batch: number; effect_no: number }

export class EffectPublisher {
  readonly #warehouse: Warehouse
  readonly #topic: EffectTopic
  readonly #patience: Patience
  #published: Place

  private constructor(
    warehouse: Warehouse,
    topic: EffectTopic,
    patience: Patience,
    published: Place,
  ) {
    this.#warehouse = warehouse
    this.#topic = topic
    this.#patience = patience
    this.#published = published
  }

  /** Resumes at the recorded position of this topic and publishes everything after it. */
  static async open(
    warehouse: Warehouse,
    topic: EffectTopic,
    patience: Patience,
  ): Promise<EffectPublisher> {
    const [last] = await warehouse.query(
      `select batch, effect_no from effect_publication where topic = ?
       order by batch desc, effect_no desc limit 1`,
      [topic.name],
    )
    const [head] = last ? [] : await warehouse.query('select max(batch) as batch from batches')
    const start = last ?? { batch: head?.['batch'] ?? 0, effect_no: BATCH_END }
    const publisher = new EffectPublisher(warehouse, topic, patience, start as Place)
    if (last === undefined) await publisher.#record(start as Place)
    await publisher.publish()
    return publisher
  }

  /** Publishes all committed effects that are not published yet. */
  async publish(): Promise<void> {
    for (;;) {
      const { batch, effect_no } = this.#published
      const rows = await this.#warehouse.query(
        `select effect_id, kind, type, payload, transition_id, journey, version, instance_id,
           profile_id, occurred_at, recorded_at, recorded_by, effect_no
         from effects_log
         where status = 'due' and (recorded_by > ? or (recorded_by = ? and effect_no > ?))
         order by recorded_by, effect_no limit ${PAGE_ROWS}`,
        [batch, batch, effect_no],
      )
      const last = rows.at(-1)
      if (last === undefined) return
      const messages = rows.map(messageOf)
      await retrying('publishing', () => this.#topic.publish(messages), this.#patience)
      await this.#record({
        batch: last['recorded_by'] as number,
        effect_no: last['effect_no'] as number,
      })
    }
  }

  async #record(place: Place): Promise<void> {
    const columns = {
      topic: [this.#topic.name],
      batch: [place.batch],
      effect_no: [place.effect_no],
    }
    const row = arrowTable('effect_publication', columns, 1)
    await this.#warehouse.append('effect_publication', row, now())
    this.#published = place
  }
}

function messageOf(row: Row): EffectMessage {
  const { recorded_by: _batch, effect_no: _no, payload, ...said } = row
  const effect = {
    ...said,
    payload: JSON.parse(payload as string) as unknown,
    occurred_at: formatInstant(row['occurred_at'] as number),
    recorded_at: formatInstant(row['recorded_at'] as number),
  }
  return {
    data: Buffer.from(JSON.stringify(effect)),
    attributes: {
      effect_id: row['effect_id'] as string,
      kind: row['kind'] as string,
      type: row['type'] as string,
      journey: row['journey'] as string,
    },
    orderingKey: uuidOf(row['instance_id'] as string),
  }
}
