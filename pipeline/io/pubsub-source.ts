/**
 * A Pub/Sub subscription as a source: messages as they are delivered, in chunks bounded by number,
 * bytes and time.
 *
 * A message is held (its deadline extended by the client library) from its delivery until its
 * chunk is acknowledged, which is after the commit; then it is acknowledged. Whatever is held when
 * the source is closed is handed back for delivery to another. Messages that come again, for
 * whatever reason, are the same events and are dropped where all duplicates are.
 *
 * The only file that reads from a subscription. When the connection is lost the client library
 * opens it again, waiting longer each time, up to a minute; each time is told of.
 */

import { Duration, PubSub, type Message, type Subscription } from '@google-cloud/pubsub'
import { elapsedMs } from '../base/clock.ts'
import type { PubsubName } from './pubsub-name.ts'
import { messageOf, UserError } from '../base/errors.ts'
import { CHUNK_BYTES_MAX, cutToSize, messagesOf, unpackedSize } from '../decode/unpack-messages.ts'
import type { Chunk, Source } from './source.ts'

/** Chunks held at once: one being committed, one decoded, one coming in. */
const CHUNKS_HELD = 3
/** How soon the messages of a worker that died come again; held on to for as long as one lives. */
const DEADLINE_SECONDS = 20
/** Closing gives back what is held; what it cannot give back in time comes again by itself. */
const CLOSE_SECONDS = 5
const NOT_FOUND = 5
const PERMISSION_DENIED = 7

export type PubsubBounds = {
  messagesMax: number
  /** A chunk waits no longer than this for more messages once it has one. */
  waitMs: number
  /** Told of every loss of the connection that is mended. */
  onReconnect?: (fault: string) => void
  /** Aborted: no further chunk is given. */
  signal?: AbortSignal
}

/** `inFlight`: messages that were delivered and are not acknowledged. */
export type PubsubSource = Source & { inFlight(): number }

/** Nothing is connected before the first chunk is asked for. */
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

  /** Until a message comes, time is up, or it is over. */
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

  /** Gives back what is held, and sends the acknowledgements that are on their way. */
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

/** Microseconds. */
function publishedAt({ publishTime }: Message): number {
  return Number(publishTime.getFullTime() / 1_000n)
}

function failureOf(error: Error, { project, id }: PubsubName, origin: string): UserError {
  const { code } = error as { code?: unknown }
  if (code === NOT_FOUND) {
    const make = `gcloud pubsub subscriptions create ${id} --topic=TOPIC --project=${project}`
    return new UserError(`${origin} is not there: ${make} makes it`)
  }
  if (code === PERMISSION_DENIED) {
    return new UserError(`${origin} may not be read: roles/pubsub.subscriber is needed`)
  }
  return new UserError(`${origin} cannot be read: ${messageOf(error)}`)
}
