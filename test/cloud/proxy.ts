/** Proxy to the BigQuery emulator that can read and refuse requests and drop their answers. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Place } from '../../pipeline/bigquery/client.ts'

/** Handles a request; returns true if it was answered here and is not passed on. */
type Luck = (
  request: IncomingMessage,
  body: string,
  response: ServerResponse,
) => boolean | Promise<boolean>
/** Returns whether an answer is dropped. */
type Loss = (body: string) => boolean

/** Proxy whose faults can be changed during use. */
export class Proxy {
  luck: Luck = () => false
  loss: Loss = () => false
  readonly bodies: string[] = []
  readonly #passing = new Set<Promise<void>>()
  readonly #server = createServer((request, response) => {
    // If one end closes in the middle, the other is closed too.
    const passing = this.#pass(request, response).catch(() => void response.destroy())
    this.#passing.add(passing)
    void passing.finally(() => this.#passing.delete(passing))
  })
  /** URL of the emulator; changes when it is restarted. */
  target: string

  constructor(target: string) {
    this.target = target
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this.port
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Resolves when all requests are answered, whether or not a client still waits. */
  async idle(): Promise<void> {
    while (this.#passing.size > 0) await Promise.all(this.#passing)
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    this.bodies.push(body)
    if (await this.luck(request, body, response)) return
    const { method = 'GET', url = '' } = request
    const answer = await fetch(this.target + url, {
      method,
      headers: { 'content-type': request.headers['content-type'] ?? 'application/json' },
      ...(method === 'GET' ? {} : { body }),
    })
    const text = await answer.text()
    if (this.loss(body)) {
      request.socket.destroy()
      return
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text)
  }
}

/** Answers with a BigQuery error. */
export function refuse(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
): true {
  const error = { code, message, errors: [{ reason, message }] }
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ error }))
  return true
}

/** Returns the place with its API reached through the proxy. */
export async function throughProxy(place: Place, proxy: Proxy): Promise<Place> {
  const ports = place.emulator as NonNullable<Place['emulator']>
  return { ...place, emulator: { ...ports, restPort: await proxy.listen() } }
}
