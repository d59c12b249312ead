/** A way to BigQuery's emulator on which requests can be read, refused, and their answers lost. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Place } from '../../pipeline/bigquery/client.ts'

/** What happens to a request: true when it was answered here and goes no further. */
type Luck = (
  request: IncomingMessage,
  body: string,
  response: ServerResponse,
) => boolean | Promise<boolean>
/** What happens to an answer: true when it is lost. */
type Loss = (body: string) => boolean

/** A way to the emulator on which luck and loss can be changed while it is used. */
export class Proxy {
  luck: Luck = () => false
  loss: Loss = () => false
  readonly bodies: string[] = []
  readonly #passing = new Set<Promise<void>>()
  readonly #server = createServer((request, response) => {
    // Either end may go away in the middle; then the other is told.
    const passing = this.#pass(request, response).catch(() => void response.destroy())
    this.#passing.add(passing)
    void passing.finally(() => this.#passing.delete(passing))
  })
  /** The emulator's URL; another one when it is started again. */
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

  /** Until all that was asked is answered, whether or not somebody still listens. */
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

/** Answers with an error of BigQuery's. */
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

/** The same place, by way of the proxy. */
export async function throughProxy(place: Place, proxy: Proxy): Promise<Place> {
  const ports = place.emulator as NonNullable<Place['emulator']>
  return { ...place, emulator: { ...ports, restPort: await proxy.listen() } }
}
