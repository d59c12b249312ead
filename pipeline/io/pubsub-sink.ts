/** Pub/Sub sink for effects. No other file publishes to Pub/Sub. */

import { PubSub } from '@google-cloud/pubsub'
import type { PubsubName } from './pubsub-name.ts'
import type { EffectTopic } from './outbox-publisher.ts'

/** Longest wait to batch a message with others; effects are rare, so it is short. */
const WAIT_MS = 5

export type PubsubTopic = EffectTopic & { close(): Promise<void> }

export function pubsubTopic({ project, id }: PubsubName): PubsubTopic {
  const pubsub = new PubSub({ projectId: project })
  const topic = pubsub.topic(id, {
    messageOrdering: true,
    batching: { maxMilliseconds: WAIT_MS },
  })
  return {
    name: `pubsub:${project}/${id}`,
    publish: async (messages) => {
      const sent = messages.map((message) => topic.publishMessage(message))
      const results = await Promise.allSettled(sent)
      const failed = results.find((result) => result.status === 'rejected')
      if (failed === undefined) return
      // The client library blocks an ordering key after a failure until publishing is resumed.
      for (const { orderingKey } of messages) topic.resumePublishing(orderingKey)
      throw failed.reason
    },
    close: () => pubsub.close(),
  }
}
