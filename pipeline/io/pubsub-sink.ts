/** A Pub/Sub topic for effects. The only file that publishes. */

import { PubSub } from '@google-cloud/pubsub'
import type { PubsubName } from './pubsub-name.ts'
import type { EffectTopic } from './outbox-publisher.ts'

/** Effects are few: a message waits no longer than this for others to go with it. */
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
      // A key whose message has failed takes no more until it is told to.
      for (const { orderingKey } of messages) topic.resumePublishing(orderingKey)
      throw failed.reason
    },
    close: () => pubsub.close(),
  }
}
