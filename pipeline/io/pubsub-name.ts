/** Names of Pub/Sub topics and subscriptions. */

/** A subscription or a topic, `pubsub:project/id`. */
export type PubsubName = { project: string; id: string }
