/**
 * Pub/Sub source: messages of a subscription, in chunks bounded by number, bytes and time.
 *
 * A message is acknowledged after the commit of its chunk. Until then the client library extends
 * its acknowledgement deadline. Closing the source returns unacknowledged messages for redelivery.
 * Redelivered messages contain the same events and are deduplicated like any others.
 *
 * No other file reads from a subscription. When the connection is lost, the client library
 * reconnects with backoff of up to a minute; `onReconnect` reports each loss.
 */

import { Duration, PubSub, type Message, type Subscription } from '@google-cloud/pubsub'
import { elapsedMs } from '../base/clock.ts'
import type { PubsubName } from './pubsub-name.ts'
import { messageOf, UserError } from '../base/errors.ts'
import { CHUNK_BYTES_MAX, cutToSize, messagesOf, unpackedSize } from '../decode/unpack-messages.ts'
import type { Chunk, Source } from './source.ts'

/** Chunks in memory at once: one being committed, one being decoded, one being received. */
const CHUNKS_HELD = 3
/** Redelivery delay for messages of a worker that died. A live worker extends the deadline. */
const DEADLINE_SECONDS = 20
/** Longest wait on closing; messages not returned by then are redelivered after their deadline. */
const CLOSE_SECONDS = 5
const NOT_FOUND = 5
const PERMISSION_DENIED = 7

export type PubsubBounds = {
  messagesMax: number
  /** Longest wait of a chunk for further messages, once it has one. */
  waitMs: number
  /** Called each time the connection is lost and reopened. */
  onReconnect?: (fault: string) => void
  /** When aborted, the source ends. */
  signal?: AbortSignal
}

/** `inFlight` counts messages that were delivered and are not acknowledged. */
export type PubsubSource = Source & { inFlight(): number }

/** Returns the source. It connects when the first chunk is requested. */
export function pubsubSource(name: PubsubName, bounds: PubsubBounds): PubsubSource {
  const origin = `pubsub:${name.project}/${name.id}`
  let delivery: Delivery | null = null
  return {
    origin,
    isLive: true,
    inFlight: () => delivery?.inFlight ?? 0,
    [Symbol.asyncIterator]: () => (delivery = new Delivery(name, origin, bounds)),
  }
}

class Delivery implements AsyncIterator<Chunk> {
  readonly #pubsub: PubSub
  readonly #subscription: Subscription
  readonly #origin: string
  readonly #bounds: PubsubBounds
  #waiting: Message[] = []
  #waitingBytes = 0
  #waitingSince = 0
  #given = 0
  #acknowledged = 0
  #failure: Error | null = null
  #isClosed = false
  #wake: () => void = () => undefined

  constructor(name: PubsubName, origin: string, bounds: PubsubBounds) {
    this.#origin = origin
    this.#bounds = bounds
    this.#pubsub = new PubSub({ projectId: name.project })
    this.#subscription = this.#pubsub.subscription(name.id, {
      minAckDeadline: Duration.from({ seconds: DEADLINE_SECONDS }),
      maxAckDeadline: Duration.from({ seconds: 3 * DEADLINE_SECONDS }),
      closeOptions: {
        behavior: 'NACK',
        timeout: Duration.from({ seconds: CLOSE_SECONDS }),
      },
      flowControl: {
        maxMessages: CHUNKS_HELD * bounds.messagesMax,
        maxBytes: CHUNKS_HELD * CHUNK_BYTES_MAX,
        allowExcessMessages: false,
      },
      streamingOptions: { maxStreams: 1 },
    })
    this.#subscription.on('message', (message: Message) => this.#take(message))
    this.#subscription.on('error', (error: Error) => {
      this.#failure ??= failureOf(error, name, origin)
      this.#wake()
    })
    this.#subscription.on('debug', ({ message, error }) => {
      if (!this.#isClosed) bounds.onReconnect?.(error?.message ?? message)
    })
    bounds.signal?.addEventListener('abort', () => this.#wake())
  }

  get inFlight(): number {
    return this.#waiting.length + this.#given - this.#acknowledged
  }

  #take(message: Message): void {
    if (this.#waiting.length === 0) this.#waitingSince = elapsedMs()
    this.#waiting.push(message)
    this.#waitingBytes += unpackedSize(message.data)
    this.#wake()
  }

  async next(): Promise<IteratorResult<Chunk, undefined>> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure
      if (this.#isClosed || this.#bounds.signal?.aborted) return { done: true, value: undefined }
      const { length } = this.#waiting
      const leftMs = this.#waitingSince + this.#bounds.waitMs - elapsedMs()
      const isFull = length >= this.#bounds.messagesMax || this.#waitingBytes >= CHUNK_BYTES_MAX
      if (length > 0 && (isFull || leftMs <= 0)) return { done: false, value: this.#chunk() }
      await this.#change(length > 0 ? leftMs : null)
    }
  }

  /** Waits until a message arrives, the time is up, or the source ends. */
  async #change(ms: number | null): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = ms === null ? undefined : setTimeout(resolve, Math.max(1, ms))
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #chunk(): Chunk {
    const messages = cutToSize(this.#waiting.slice(0, this.#bounds.messagesMax))
    this.#waiting = this.#waiting.slice(messages.length)
    this.#waitingBytes = sizeOf(this.#waiting)
    this.#waitingSince = elapsedMs()
    this.#given += messages.length
    return {
      ...messagesOf(
        messages.map(({ data }) => data),
        messages.map(publishedAt),
      ),
      origin: this.#origin,
      progress: { done: this.#given, total: null },
      acknowledge: () => {
        for (const message of messages) message.ack()
        this.#acknowledged += messages.length
        return Promise.resolve()
      },
    }
  }

  /** Returns unacknowledged messages for redelivery and flushes pending acknowledgements. */
  async return(): Promise<IteratorResult<Chunk, undefined>> {
    if (!this.#isClosed) {
      this.#isClosed = true
      this.#wake()
      await this.#subscription.close()
      await this.#pubsub.close()
    }
    return { done: true, value: undefined }
  }
}

function sizeOf(messages: readonly Message[]): number {
  return messages.reduce((bytes, { data }) => bytes + unpackedSize(data), 0)
}

/** Returns the publish time in microseconds. */
function publishedAt({ publishTime }: Message): number {
  return Number(publishTime.getFullTime() / 1_000n)
}

function failureOf(error: Error, { project, id }: PubsubName, origin: string): UserError {
  const { code } = error as { code?: unknown }
  if (code === NOT_FOUND) {
    const make = `gcloud pubsub subscriptions create ${id} --topic=TOPIC --project=${project}`
    return new UserError(`${origin} does not exist: ${make} creates it`)
  }
  if (code === PERMISSION_DENIED) {
    return new UserError(
      `${origin} denies access: grant roles/pubsub.subscriber on it to the service account`,
    )
  }
  return new UserError(`${origin} cannot be read: ${messageOf(error)}`)
}
