/** Names of Pub/Sub topics and subscriptions. */

/** A topic or subscription, written `pubsub:project/id`. */
export type PubsubName = { project: string; id: string }
