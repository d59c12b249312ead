/**
 * Pub/Sub server for one subscription, in this process, so that a test knows the order of
 * acknowledgements. It delivers every unacknowledged message to each opened stream, and calls
 * `onAcknowledge` for each acknowledgement. `test/cloud/` uses the official emulator, which takes
 * seconds to start and to redeliver.
 */

import { createRequire } from 'node:module'
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceClientConstructor,
  type UntypedHandleCall,
} from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'

const require = createRequire(import.meta.url)
const PROTOS = '@google-cloud/pubsub/build/protos/protos.json'
const PUBLISHED_AT = 1_772_445_600

type Call = { request: { ackIds?: string[] } }
type Answer = (error: null, reply: object) => void

export class SubscriptionServer {
  readonly #server = new Server()
  readonly #messages: Map<string, Buffer>

  private constructor(messages: readonly string[], onAcknowledge: (data: string) => void) {
    this.#messages = new Map(messages.map((text, i) => [`${i}`, Buffer.from(text)]))
    const handlers: { [method: string]: unknown } = {
      streamingPull: (stream: ServerDuplexStream<unknown, unknown>) => this.#deliver(stream),
      acknowledge: ({ request: { ackIds = [] } }: Call, answer: Answer) => {
        for (const id of ackIds) {
          const data = this.#messages.get(id)
          this.#messages.delete(id)
          if (data !== undefined) onAcknowledge(data.toString())
        }
        answer(null, {})
      },
      modifyAckDeadline: (_call: Call, answer: Answer) => answer(null, {}),
    }
    const { service } = subscriberClient()
    this.#server.addService(service, handlers as { [method: string]: UntypedHandleCall })
  }

  /** Serves these messages on a free port of the loopback interface, and configures the client
   * library to use it. */
  static async start(
    messages: readonly string[],
    onAcknowledge: (data: string) => void,
  ): Promise<SubscriptionServer> {
    const started = new SubscriptionServer(messages, onAcknowledge)
    const port = await new Promise<number>((resolve, reject) =>
      started.#server.bindAsync(
        '127.0.0.1:0',
        ServerCredentials.createInsecure(),
        (error, bound) => (error === null ? resolve(bound) : reject(error)),
      ),
    )
    process.env['PUBSUB_EMULATOR_HOST'] = `127.0.0.1:${port}`
    process.env['METADATA_SERVER_DETECTION'] = 'none'
    return started
  }

  stop(): void {
    this.#server.forceShutdown()
  }

  #deliver(stream: ServerDuplexStream<unknown, unknown>): void {
    stream.on('end', () => stream.end())
    stream.on('error', () => undefined)
    stream.once('data', () => {
      const receivedMessages = [...this.#messages].map(([id, data]) => ({
        ackId: id,
        message: { messageId: id, data, publishTime: { seconds: PUBLISHED_AT, nanos: 0 } },
      }))
      if (receivedMessages.length > 0) stream.write({ receivedMessages })
    })
  }
}

function subscriberClient(): ServiceClientConstructor {
  const protos = require(PROTOS) as Parameters<typeof fromJSON>[0]
  const { google } = loadPackageDefinition(fromJSON(protos)) as unknown as {
    google: { pubsub: { v1: { Subscriber: ServiceClientConstructor } } }
  }
  return google.pubsub.v1.Subscriber
}
